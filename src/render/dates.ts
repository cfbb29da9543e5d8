/** A local date (`YYYY-MM-DD`) written out in a language, such as "Thursday, December 5, 2013". No zone is involved. */
export function longDate(date: string, language: string): string {
  return new Intl.DateTimeFormat(language, { dateStyle: "full", timeZone: "UTC" }).format(
    new Date(`${date}T00:00:00Z`),
  );
}
