/**
 * The locale of the dates in texts. English texts have British spelling, so plain `en` gets British dates, such as
 * "26 November 2026". A language with a region, such as `en-US`, keeps its own form.
 * @param language BCP 47 tag
 */
export function dateLocale(language: string): string {
  const locale = new Intl.Locale(language);
  const isPlainEnglish = locale.language === "en" && locale.region === undefined;
  return isPlainEnglish ? new Intl.Locale(locale, { region: "GB" }).toString() : language;
}

/** A date or time in words. @param language BCP 47 tag */
export function formatDate(at: Date, language: string, options: Intl.DateTimeFormatOptions): string {
  return new Intl.DateTimeFormat(dateLocale(language), options).format(at);
}

/** A time to the minute with its time zone, the same in all languages: `2026-11-24 07:00 Europe/Berlin`. */
export function isoMinute(at: Date, timeZone: string): string {
  // Swedish dates have the order of ISO 8601.
  return `${formatDate(at, "sv-SE", { dateStyle: "short", timeStyle: "short", timeZone })} ${timeZone}`;
}
