/** Why a date has no edition at all. */
export function explainNoEdition(facts: {
  date: string;
  now: Date;
  /** null when the schedule does not send on that date. */
  dueAt: Date | null;
  skipped: boolean;
  /** Dates due at or before this instant are ignored. */
  since: Date;
  timezone: string;
}): string {
  const { date, dueAt, timezone } = facts;
  if (facts.skipped) return `There is no edition of ${date}: an operator has left that date out.`;
  if (dueAt === null) return `There is no edition of ${date}: the schedule does not send on that day.`;
  const at = moment(dueAt, timezone);
  if (dueAt > facts.now) return `The edition of ${date} is not made yet: it is due at ${at}.`;
  if (dueAt <= facts.since) return `There is no edition of ${date}: nothing was to be sent yet at ${at}.`;
  return `The edition of ${date} was due at ${at} and is not opened yet: see \`dayletter status\`.`;
}

/** `2026-11-24 07:00 Europe/Berlin`. */
export function moment(instant: Date, timezone: string): string {
  const form = new Intl.DateTimeFormat("sv-SE", { dateStyle: "short", timeStyle: "short", timeZone: timezone });
  return `${form.format(instant)} ${timezone}`;
}
