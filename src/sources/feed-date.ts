import { Temporal } from "temporal-polyfill";

/** What a feed's date says. */
export interface FeedDate {
  at: Date;
  /** A zone name that is not known. The date was read in the default time zone. */
  unknownZone: string | null;
}

/** Longer texts are not dates. */
const longest = 100;

/** Minutes east of UTC: RFC 822 §5.1, and other names that feeds use. */
const zones: ReadonlyMap<string, number> = new Map([
  ...["z", "ut", "utc", "gmt", "wet"].map((name) => [name, 0] as const),
  ...Object.entries({ est: -300, edt: -240, cst: -360, cdt: -300, mst: -420, mdt: -360, pst: -480, pdt: -420 }),
  ...Object.entries({ akst: -540, akdt: -480, hst: -600, brt: -180, art: -180, bst: 60, ist: 330, west: 60 }),
  ...Object.entries({ cet: 60, cest: 120, mez: 60, mesz: 120, eet: 120, eest: 180, sast: 120, msk: 180, trt: 180 }),
  ...Object.entries({ gst: 240, pkt: 300, npt: 345, bdt: 360, ict: 420, wib: 420, sgt: 480, hkt: 480, kst: 540 }),
  ...Object.entries({ jst: 540, acst: 570, acdt: 630, aest: 600, aedt: 660, nzst: 720, nzdt: 780 }),
]);

/** Words for the halves of the day, with the hour at which each begins. */
const halves: ReadonlyMap<string, 0 | 12> = new Map([
  ...["am", "오전", "午前", "上午", "凌晨", "早上", "ص"].map((word) => [word, 0] as const),
  ...["pm", "오후", "午後", "下午", "晚上", "م"].map((word) => [word, 12] as const),
]);

type Unit = "year" | "month" | "day" | "hour" | "minute" | "second";

/** Words behind a number that say what it counts. */
const units: ReadonlyMap<string, Unit> = new Map([
  ...["년", "年"].map((word) => [word, "year"] as const),
  ...["월", "月"].map((word) => [word, "month"] as const),
  ...["일", "日"].map((word) => [word, "day"] as const),
  ...["시", "時", "时", "点", "點", "h"].map((word) => [word, "hour"] as const),
  ...["분", "分", "min"].map((word) => [word, "minute"] as const),
  ...["초", "秒"].map((word) => [word, "second"] as const),
]);

/** Languages whose month names are read. */
const languages = [
  "en",
  "de",
  "fr",
  "es",
  "it",
  "pt",
  "nl",
  "pl",
  "ru",
  "uk",
  "tr",
  "sv",
  "da",
  "nb",
  "fi",
  "cs",
  "sk",
  "hu",
  "ro",
  "el",
  "bg",
  "sr",
  "sl",
  "et",
  "lv",
  "lt",
  "id",
  "ms",
  "ar",
  "fa",
  "he",
  "hi",
  "bn",
  "sw",
  "ca",
];

let names: ReadonlyMap<string, number> | null = null;

/** Month names and their short forms in these languages. A name that means two months in different languages is left out. */
function monthNames(): ReadonlyMap<string, number> {
  if (names) return names;
  const found = new Map<string, number>([["sept", 9]]);
  for (const language of languages) {
    for (const options of [{ month: "long" }, { month: "short" }, { month: "long", day: "numeric" }] as const) {
      const form = new Intl.DateTimeFormat(`${language}-u-ca-gregory`, { ...options, timeZone: "UTC" });
      for (let month = 1; month <= 12; month++) {
        const part = form.formatToParts(Date.UTC(2026, month - 1, 15)).find(({ type }) => type === "month");
        const name = folded(part?.value ?? "").replace(/\.$/, "");
        if (!/^\p{L}[\p{L}\p{M}]+$/u.test(name)) continue;
        const known = found.get(name);
        found.set(name, known === undefined || known === month ? month : Number.NaN);
      }
    }
  }
  names = new Map([...found].filter(([, month]) => !Number.isNaN(month)));
  return names;
}

/** Compatibility forms, digits of other scripts and letter case do not matter. */
function folded(text: string): string {
  return text
    .normalize("NFKC")
    .toLowerCase()
    .replace(/[\u200e\u200f\u061c]/g, "")
    .replace(/\p{Nd}/gu, (digit) => String(digitValue(digit)));
}

/** Unicode has the digits of each script in a run from 0 to 9. */
function digitValue(digit: string): number {
  let code = digit.codePointAt(0)!;
  let value = 0;
  while (value < 9 && /^\p{Nd}$/u.test(String.fromCodePoint(code - 1))) {
    code -= 1;
    value += 1;
  }
  return value;
}

interface Token {
  kind: "number" | "word" | "sign";
  text: string;
}

interface Parts {
  year: number;
  month: number;
  day: number;
  hour: number;
  minute: number;
  second: number;
}

/**
 * The time of a feed's date: RFC 822 (with two-digit years), ISO 8601, asctime, seconds or milliseconds since 1970, and
 * dates as people write them in Korean, Japanese, Chinese and the larger European languages. A day and a month in numbers
 * are read only where their order is certain.
 * @param timezone IANA name, for dates without a zone
 * @returns null for what is not a date, for years before 1980 or after 2200, which systems use for "no date", and for
 * dates that could mean two days
 */
export function readFeedDate(raw: string, timezone: string): FeedDate | null {
  if (raw.length > longest) return null;
  const text = folded(raw.trim()).replace(/(?<![\p{L}.])([ap])\.\s?m\b\.?/gu, "$1m");
  if (text === "") return null;
  if (/^\d+$/.test(text)) return readDigits(text, timezone);
  const { name, rest } = takeZoneName(text);
  const tokens = tokensOf(rest);
  const time = takeTime(tokens);
  if (time === null) return null;
  const date = readDay(time.before, time.after);
  if (!date) return null;
  const zone = name ?? readZone(date.tail, raw);
  return instant({ ...date.day, ...time.at }, zone, timezone);
}

/** Digits alone: seconds or milliseconds since 1970, `20260115`, or `20260115194800`. */
function readDigits(text: string, timezone: string): FeedDate | null {
  if (text.length === 10 || text.length === 13) {
    const at = new Date(Number(text) * (text.length === 10 ? 1_000 : 1));
    return isPlausible(at.getUTCFullYear()) ? { at, unknownZone: null } : null;
  }
  if (text.length !== 8 && text.length !== 12 && text.length !== 14) return null;
  const two = (from: number): number => Number(text.slice(from, from + 2) || 0);
  const parts = { year: Number(text.slice(0, 4)), month: two(4), day: two(6) };
  return instant({ ...parts, hour: two(8), minute: two(10), second: two(12) }, null, timezone);
}

/** An IANA name, with or without brackets, wherever it stands. */
function takeZoneName(text: string): { name: string | null; rest: string } {
  const found = /\[?\b([a-z]{2,20}\/[a-z_]{2,30}(?:\/[a-z_]{2,30})?)\b\]?/.exec(text);
  return found ? { name: found[1]!, rest: text.replace(found[0], " ") } : { name: null, rest: text };
}

function tokensOf(text: string): Token[] {
  return [...text.matchAll(/(\d+)|([\p{L}\p{M}]+)|([^\s\d\p{L}\p{M}])/gu)].map(([all, number, word]) => ({
    kind: number !== undefined ? "number" : word !== undefined ? "word" : "sign",
    text: all,
  }));
}

interface TakenTime {
  at: Pick<Parts, "hour" | "minute" | "second">;
  before: Token[];
  after: Token[];
}

/** Splits at the time of day, which is midnight if there is none. null for an impossible time. */
function takeTime(tokens: readonly Token[]): TakenTime | null {
  const start = tokens.findIndex((token, i) => isTimeAt(tokens, i, token));
  if (start === -1) return { at: { hour: 0, minute: 0, second: 0 }, before: [...tokens], after: [] };
  const numbers: number[] = [];
  let end = start;
  const first = tokens[start]!.text;
  if (first.length > 2) {
    numbers.push(...(first.match(/../g) ?? []).map(Number));
    end += 1;
  } else {
    for (; numbers.length < 3 && tokens[end]?.kind === "number" && tokens[end]!.text.length <= 2; end += 1) {
      numbers.push(Number(tokens[end]!.text));
      const next = tokens[end + 1];
      if (next === undefined || !(next.text === ":" || isTimeUnit(next))) {
        end += 1;
        break;
      }
      end += 1;
    }
  }
  // A fraction of a second.
  if (/^[.,]$/.test(tokens[end]?.text ?? "") && tokens[end + 1]?.kind === "number" && numbers.length === 3) end += 2;
  const rest = [...tokens.slice(0, start), ...tokens.slice(end)];
  const half = rest.map(({ text }) => halves.get(text)).find((hours) => hours !== undefined);
  const [written = 0, minute = 0, second = 0] = numbers;
  const hour = half === undefined || written > 12 ? written : (written % 12) + half;
  // `14:30 PM` is written by mistake and is clear, `14:30 AM` is not.
  if (hour > 23 || minute > 59 || second > 60 || (half === 0 && written > 12)) return null;
  const without = (some: readonly Token[]): Token[] => some.filter(({ text }) => !halves.has(text));
  return {
    at: { hour, minute, second: Math.min(second, 59) },
    before: without(tokens.slice(0, start)),
    after: without(tokens.slice(end)),
  };
}

/** `19:48`, `7시`, `19h48`, or `t1948` behind a date. */
function isTimeAt(tokens: readonly Token[], i: number, { kind, text }: Token): boolean {
  if (kind !== "number") return false;
  const next = tokens[i + 1];
  if (text.length <= 2 && next) {
    if (next.text === ":" && tokens[i + 2]?.kind === "number") return !isOffset(tokens, i);
    if (units.get(next.text) === "hour") return true;
  }
  return (text.length === 4 || text.length === 6) && tokens[i - 1]?.text === "t" && tokens[i - 2]?.kind === "number";
}

/** The hours of `+09:00`. */
function isOffset(tokens: readonly Token[], i: number): boolean {
  const before = tokens[i - 1]?.text;
  return before === "+" || (before === "-" && tokens.slice(0, i - 1).some(({ text }) => text === ":"));
}

function isTimeUnit({ text }: Token): boolean {
  return ["hour", "minute", "second"].includes(units.get(text) ?? "");
}

type Day = Pick<Parts, "year" | "month" | "day">;

/** The day from the tokens before the time, and from those behind it if need be; `tail` is what follows. */
function readDay(before: readonly Token[], after: readonly Token[]): { day: Day; tail: readonly Token[] } | null {
  const day = dayOf(before);
  if (day) return { day, tail: after.length > 0 ? after : afterDay(before) };
  // asctime has the year behind the time, and `19:48 15.01.2026` has all of it there.
  const year = after.findLast(({ kind, text }) => kind === "number" && text.length === 4 && isPlausible(Number(text)));
  if (!year) return null;
  const at = after.indexOf(year);
  const zone = after.slice(0, at);
  // `+0900 2026`: the offset stands before the year.
  const late = before.some(({ kind }) => kind === "number") ? dayOf([...before, year]) : dayOf(after.slice(0, at + 1));
  if (!late) return null;
  return { day: late, tail: before.some(({ kind }) => kind === "number") ? zone : after.slice(at + 1) };
}

/** A date without a time can have a zone: `2026-01-15Z`, `2026-01-15+09:00`. */
function afterDay(tokens: readonly Token[]): readonly Token[] {
  const last = tokens.findLastIndex(({ kind }) => kind === "number");
  const plus = tokens.findIndex(({ text }) => text === "+");
  return plus === -1 ? tokens.slice(last + 1) : tokens.slice(plus);
}

function dayOf(all: readonly Token[]): Day | null {
  const plus = all.findIndex(({ text }) => text === "+");
  const tokens = plus === -1 ? all : all.slice(0, plus);
  const counted = countedDay(tokens);
  if (counted) return counted;
  const numbers = tokens.flatMap(({ kind, text }, i) => (kind === "number" ? [{ text, value: Number(text), i }] : []));
  const word = tokens.findIndex(({ kind, text }) => kind === "word" && monthNames().has(text));
  if (word !== -1) return namedDay(numbers, monthNames().get(tokens[word]!.text)!, word);
  return numberedDay(numbers, tokens);
}

/** `2026년 1월 15일`, `2026年1月15日`. */
function countedDay(tokens: readonly Token[]): Day | null {
  const found: Partial<Record<Unit, number>> = {};
  tokens.forEach(({ kind, text }, i) => {
    const unit = units.get(tokens[i + 1]?.text ?? "");
    if (kind === "number" && unit !== undefined) found[unit] ??= Number(text);
  });
  const { year, month, day } = found;
  return year === undefined || month === undefined || day === undefined ? null : { year, month, day };
}

interface WrittenNumber {
  text: string;
  value: number;
  i: number;
}

/** `15 Jan 2026`, `January 15th, 2026`, `2026-Jan-15`, `15 Jan 26`. */
function namedDay(numbers: readonly WrittenNumber[], month: number, word: number): Day | null {
  const year =
    numbers.find(({ text }) => text.length === 4) ??
    numbers.find(({ text, i }) => i > word && text.length === 2 && numbers.some((other) => other.i < word));
  const day = numbers.find((one) => one !== year && one.text.length <= 2);
  if (!year || !day || numbers.length !== 2) return null;
  return { year: fullYear(year.text), month, day: day.value };
}

/** Three numbers: the year first, or the year last where day and month cannot be confused. */
function numberedDay(numbers: readonly WrittenNumber[], tokens: readonly Token[]): Day | null {
  const [first, second, third] = numbers;
  if (!first) return null;
  if (numbers.length === 1 && first.text.length === 8) {
    return {
      year: Number(first.text.slice(0, 4)),
      month: Number(first.text.slice(4, 6)),
      day: Number(first.text.slice(6)),
    };
  }
  if (!second) return null;
  // ISO 8601 §5.2.1.2 leaves out the day: the first of the month.
  if (!third)
    return first.text.length === 4 && tokens[first.i + 1]?.text === "-"
      ? { year: first.value, month: second.value, day: 1 }
      : null;
  if (numbers.length > 3) return null;
  if (first.text.length === 4) return { year: first.value, month: second.value, day: third.value };
  if (third.text.length !== 4 && !(third.text.length === 2 && tokens[first.i + 1]?.text === ".")) return null;
  const year = fullYear(third.text);
  // Dots are written where the day comes first. With slashes and hyphens it depends on the country.
  if (tokens[first.i + 1]?.text === "." || first.value > 12) return { year, month: second.value, day: first.value };
  if (second.value > 12 || first.value === second.value) return { year, month: first.value, day: second.value };
  return null;
}

function fullYear(text: string): number {
  const year = Number(text);
  if (text.length === 4) return year;
  return year + (year < 50 ? 2000 : 1900);
}

/** Minutes east of UTC, an unknown name, or null without a zone. */
function readZone(tokens: readonly Token[], raw: string): number | string | null {
  const sign = tokens.findIndex(({ text }, i) => /^[+\u2212-]$/.test(text) && tokens[i + 1]?.kind === "number");
  if (sign !== -1) {
    const digits = tokens[sign + 1]!.text;
    const more = tokens[sign + 2]?.text === ":" ? (tokens[sign + 3]?.text ?? "") : "";
    const hours = Number(digits.length > 2 ? digits.slice(0, -2) : digits);
    const minutes = Number(digits.length > 2 ? digits.slice(-2) : more || 0);
    if (digits.length > 4 || hours > 18 || minutes > 59) return digits;
    return (hours * 60 + minutes) * (tokens[sign]!.text === "+" ? 1 : -1);
  }
  const words = tokens.filter(({ kind }) => kind === "word").map(({ text }) => text);
  const known = words.map((word) => zones.get(word)).find((offset) => offset !== undefined);
  if (known !== undefined) return known;
  // Zone names are written in capitals. Other words, such as `Uhr`, belong to the time.
  const capitals = words.map((word) => word.toUpperCase());
  return capitals.find((word) => /^[A-Z]{3,5}$/.test(word) && raw.includes(word)) ?? null;
}

function isPlausible(year: number): boolean {
  return year >= 1980 && year <= 2200;
}

function instant(parts: Parts, zone: number | string | null, timezone: string): FeedDate | null {
  if (!isPlausible(parts.year)) return null;
  let wall: Temporal.PlainDateTime;
  try {
    wall = Temporal.PlainDateTime.from(parts, { overflow: "reject" });
  } catch {
    return null;
  }
  const inZone = (name: string): Date => new Date(wall.toZonedDateTime(name).epochMilliseconds);
  if (typeof zone === "number") {
    return { at: new Date(inZone("UTC").getTime() - zone * 60_000), unknownZone: null };
  }
  if (zone?.includes("/") === true) {
    try {
      return { at: inZone(zone), unknownZone: null };
    } catch {
      // An unknown name is reported.
    }
  }
  return { at: inZone(timezone), unknownZone: zone };
}
