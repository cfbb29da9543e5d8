const months = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];

/** Minutes east of UTC: RFC 822 §5.1, and other zones that feeds use. */
const zones: Readonly<Record<string, number | undefined>> = {
  EST: -300,
  EDT: -240,
  CST: -360,
  CDT: -300,
  MST: -420,
  MDT: -360,
  PST: -480,
  PDT: -420,
  BST: 60,
  CET: 60,
  CEST: 120,
  EET: 120,
  EEST: 180,
  MSK: 180,
  SGT: 480,
  HKT: 480,
  KST: 540,
  JST: 540,
  AEST: 600,
  AEDT: 660,
};

const rfc822 =
  /^(?:[a-z]{3,9}\.?,?\s+)?(\d{1,2})[\s-]+([a-z]{3})[a-z]*\.?[\s-]+(\d{4}|\d{2})(?:,?\s+(\d{1,2}):(\d{2})(?::(\d{2})(?:\.\d+)?)?)?\s*(.*)$/is;
const iso8601 = /^(\d{4})-?(\d{2})(?:-?(\d{2}))?(?:[t\s]\s*(\d{2}):?(\d{2})(?::?(\d{2})(?:[.,]\d+)?)?)?\s*(.*)$/is;

/**
 * The time of a feed's date in the formats of RFC 822 (with two-digit years) and ISO 8601. Without a known zone it is UTC
 * (RFC 5322 §4.3). null for invalid dates, and for years before 1980 or after 2200, which systems use for "no date".
 */
export function parseFeedDate(raw: string | undefined): Date | null {
  const text = raw?.trim() ?? "";
  if (text.length > 100) return null;
  const written = rfc822.exec(text);
  if (written) {
    const [, day, month = "", year = "", hour, minute, second, zone = ""] = written;
    return instant(fullYear(year), months.indexOf(month.toLowerCase()) + 1, day, [hour, minute, second], zone);
  }
  const [, year = "", month, day = "1", hour, minute, second, zone = ""] = iso8601.exec(text) ?? [];
  return instant(Number(year), Number(month), day, [hour, minute, second], zone);
}

function fullYear(year: string): number {
  if (year.length === 4) return Number(year);
  return Number(year) + (Number(year) < 50 ? 2000 : 1900);
}

function instant(
  year: number,
  month: number,
  dayText: string | undefined,
  time: readonly (string | undefined)[],
  zone: string,
): Date | null {
  const day = Number(dayText);
  const [hour = 0, minute = 0, second = 0] = time.map((part) => Number(part ?? 0));
  const offset = offsetOf(zone);
  if (!(year >= 1980 && year <= 2200) || hour > 23 || minute > 59 || second > 60 || offset === null) return null;
  const date = new Date(Date.UTC(year, month - 1, day));
  if (date.getUTCMonth() !== month - 1 || date.getUTCDate() !== day) return null;
  return new Date(date.getTime() + ((hour * 60 + minute - offset) * 60 + Math.min(second, 59)) * 1000);
}

function offsetOf(zone: string): number | null {
  const name = zone
    .replace(/\([^()]*\)$/, "")
    .trimEnd()
    .replace(/^(?:GMT|UTC)(?=[+-])/i, "");
  const [, sign, hours, minutes] = /^([+-])(\d{2}):?(\d{2})?$/.exec(name) ?? [];
  if (sign) {
    const offset = Number(hours) * 60 + Number(minutes ?? 0);
    return offset > 18 * 60 ? null : offset * (sign === "-" ? -1 : 1);
  }
  if (!/^[a-z]{0,5}$/i.test(name)) return null;
  return zones[name.toUpperCase()] ?? 0;
}
