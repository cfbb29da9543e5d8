/** An instant to the minute, such as `2026-11-24 07:00 UTC`. */
export function moment(at: Date): string {
  return `${at.toISOString().slice(0, 16).replace("T", " ")} UTC`;
}
