const longestText = 5_000;

/** The value at a path in any JSON; undefined if there is none. */
export function valueAt(value: unknown, ...path: readonly string[]): unknown {
  let found = value;
  for (const name of path) {
    if (typeof found !== "object" || found === null || !Object.hasOwn(found, name)) return undefined;
    found = (found as Record<string, unknown>)[name];
  }
  return found;
}

/** A text or number at a path, trimmed and cut; null for anything else and for an empty text. */
export function textAt(value: unknown, ...path: readonly string[]): string | null {
  const found = valueAt(value, ...path);
  if (typeof found !== "string" && typeof found !== "number") return null;
  return String(found).slice(0, longestText).trim() || null;
}

/** The items of a list at a path; none for anything else. */
export function listAt(value: unknown, ...path: readonly string[]): readonly unknown[] {
  const found = valueAt(value, ...path);
  return Array.isArray(found) ? (found as unknown[]) : [];
}

/** Emails are younger, and the database can store it. */
const earliest = Date.UTC(2000, 0);
/** As seconds, this is in the year 5138; as milliseconds, in 1973. */
const firstMilliseconds = 1e11;

/** A time at a path: ISO 8601, or seconds or milliseconds since 1970 as a number or text. null for anything else. */
export function timeAt(value: unknown, ...path: readonly string[]): Date | null {
  const text = textAt(value, ...path);
  if (text === null) return null;
  const number = /^\d{1,15}(?:\.\d{1,9})?$/.test(text) ? Number(text) : null;
  const ms = number === null ? isoTime(text) : number < firstMilliseconds ? number * 1_000 : number;
  return ms >= earliest && ms <= 8.64e15 ? new Date(ms) : null;
}

/** `Date.parse` also takes other texts for a time, each in its own way. */
function isoTime(text: string): number {
  return /^\d{4}-\d{2}-\d{2}T/.test(text) ? Date.parse(text) : Number.NaN;
}
