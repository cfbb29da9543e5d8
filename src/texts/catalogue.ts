import type english from "../../templates/languages/en.json";
import type { SettingProblem } from "../config/settings.ts";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { IntlMessageFormat } from "intl-messageformat";
import { Refusal, reasonOf, type StoredReason } from "../base/errors.ts";
import { packageRoot } from "../package-root.ts";

/** The id of a text, such as `confirm.title`; templates/languages/en.json has all of them. */
export type MessageKey = keyof typeof english;

/** A refusal's code: the part of its key after `error.`. */
export type ErrorCode = MessageKey extends infer Key ? (Key extends `error.${infer Code}` ? Code : never) : never;

/** Values for the `{names}` in a text. A number can choose a plural form. */
export type MessageValues = Readonly<Record<string, string | number>>;

/** A text and its values. The surface that shows it puts it into words. */
export interface Message {
  key: MessageKey;
  values: MessageValues;
}

/** One language's texts. */
export interface Wording {
  /** The language the texts are in, for `lang` attributes, dates and numbers: a BCP 47 tag. */
  language: string;
  /** The text of a key, filled in. A key that this language lacks is said in English. */
  say(key: MessageKey, values?: MessageValues): string;
  /** The text as it stands in the file, for scripts that fill in their own values. */
  raw(key: MessageKey): string;
  /** Why something was refused. A reason among the details is said in its place. */
  reason(reason: { code: ErrorCode | null; details: object; message?: string }): string;
  /**
   * What is wrong with a setting.
   * @param shown what the reader calls the setting
   * @param inFront whether the name goes in front of a sentence that does not contain it
   */
  problem(problem: SettingProblem, shown?: string, inFront?: boolean): string;
  /** A message, or a text that has been said already, such as a relay's reply. */
  text(text: string | Message): string;
  /** What to say for anything thrown. An error that is no Refusal has no code, so it says its own message. */
  failure(error: unknown): string;
}

export const languagesFolder: string = join(packageRoot, "templates/languages");

const opened = new Map<string, Wording>();
const read = new Map<string, Readonly<Record<string, string>>>();

/** The primary languages that have a file, such as `de`. */
export function languages(): string[] {
  return readdirSync(languagesFolder)
    .filter((file) => file.endsWith(".json"))
    .map((file) => file.slice(0, -".json".length))
    .toSorted();
}

/** The ICU messages of one language's file, by key. @param primary a language that `languages` names */
export function messagesOf(primary: string): Readonly<Record<string, string>> {
  let messages = read.get(primary);
  if (messages === undefined) {
    messages = JSON.parse(readFileSync(join(languagesFolder, `${primary}.json`), "utf8")) as Record<string, string>;
    read.set(primary, messages);
  }
  return messages;
}

/**
 * The texts in the language of a BCP 47 tag. A language without a file is said in English, and `language` then names the
 * kind of English: what the texts are in, not what was asked for.
 */
export function openWording(language: string): Wording {
  let wording = opened.get(language);
  if (wording === undefined) {
    wording = makeWording(language);
    opened.set(language, wording);
  }
  return wording;
}

/** The texts that operators, developers and the command line read. */
export const englishWording = (): Wording => openWording("en");

/** The English sentence of a reason. */
export function sayReason(reason: StoredReason): string {
  return "text" in reason ? reason.text : englishWording().reason(reason);
}

/** The English sentence of anything thrown. */
export const sayFailure = (error: unknown): string => englishWording().failure(error);

/** The publication's kind of English, which operators' pages and texts without a translation are in. */
export function englishOf(language: string): string {
  return /^en\b/i.test(language) ? language : "en";
}

function makeWording(language: string): Wording {
  const primary = language.split("-")[0]!.toLowerCase();
  const own = languages().includes(primary) ? messagesOf(primary) : {};
  const spoken = languages().includes(primary) ? language : englishOf(language);
  const formats = new Map<MessageKey, IntlMessageFormat>();

  function formatOf(key: MessageKey): IntlMessageFormat {
    let format = formats.get(key);
    if (format === undefined) {
      // Texts hold HTML for pages, which is not for the formatter to read.
      format = new IntlMessageFormat(raw(key), Object.hasOwn(own, key) ? spoken : "en", undefined, { ignoreTag: true });
      formats.set(key, format);
    }
    return format;
  }

  function say(key: MessageKey, values?: MessageValues): string {
    return String(formatOf(key).format(values));
  }

  function raw(key: MessageKey): string {
    const text = own[key] ?? messagesOf("en")[key];
    if (text === undefined) throw new Error(`templates/languages has no text ${key}.`);
    return text;
  }

  const stored = (value: StoredReason): string => ("text" in value ? value.text : reason(value));

  function reason({ code, details, message = "" }: Parameters<Wording["reason"]>[0]): string {
    // Fastify gives a code of its own to an error that has none.
    if (!Object.hasOwn(messagesOf("en"), `error.${code}`)) return message;
    const values = Object.entries(details).map(([name, value]) => [name, said(value)]);
    return say(`error.${code!}`, Object.fromEntries(values) as MessageValues);
  }

  function textOf(given: string | Message): string {
    return typeof given === "string" ? given : say(given.key, given.values);
  }

  function said(value: unknown): unknown {
    if (Array.isArray(value) && value.some(isProblem)) return value.map(said).join(" ");
    if (isProblem(value)) return problem(value);
    if (isReason(value)) return stored(value);
    return isMessage(value) ? textOf(value) : value;
  }

  function problem({ name, code, data }: SettingProblem, shown = name, inFront = true): string {
    const sentence = reason({ code, details: { ...data, name: shown }, message: code });
    const namesIt = raw(`error.${code}`).includes("{name}");
    return namesIt || !inFront ? sentence : `${shown}: ${sentence}`;
  }

  return {
    language: spoken,
    say,
    raw,
    text: textOf,
    reason,
    problem,
    failure: (error) => (error instanceof Refusal ? reason(error) : reasonOf(error)),
  };
}

function isProblem(value: unknown): value is SettingProblem {
  return typeof value === "object" && value !== null && "name" in value && "code" in value && "data" in value;
}

function isMessage(value: unknown): value is Message {
  return typeof value === "object" && value !== null && Object.hasOwn(messagesOf("en"), (value as Message).key);
}

function isReason(value: unknown): value is StoredReason {
  return typeof value === "object" && value !== null && ("text" in value || ("code" in value && "details" in value));
}
