import * as read from "./parse-values.ts";
import { resolve } from "node:path";
import { Refusal } from "../base/errors.ts";
import { parseDate, parseSendAt, parseSendDays, parseTimezone } from "../base/schedule-values.ts";
import type { ErrorCode } from "../texts/catalogue.ts";
import { parseSendGridKey, parseSnsTopic } from "./hooks.ts";
import { parseAddresses, parseBounceAddress, parseImap, parseMailbox, parseRelay } from "./mail.ts";
import type { Reader } from "./parse-values.ts";

/** The forms of operators' pages that change settings. */
export type SettingForm = "publication" | "editions" | "alerts";

/** What else is known about a setting. Its texts are in the catalogue, under `setting.NAME`. */
interface About {
  /** Its property in `Config`; without it the name in camelCase. null if `load.ts` combines it with other settings. */
  property?: string | null;
  /** Its value holds a secret: it can also be given as `NAME_FILE`, and the audit log does not show it. */
  secret?: boolean;
  /** Only the environment can set it, because it says where other settings are or several processes must share it. */
  onlyEnvironment?: boolean;
  /** It is a field of this form on operators' pages, with `setting.NAME.label` and `setting.NAME.note`. */
  form?: SettingForm;
  /** With `DATABASE_URL` only the environment can set it, because DNS, the proxy or the relay must agree with it. */
  infrastructure?: boolean;
  /** What the table in docs/settings.md shows for a default that is computed elsewhere. */
  shownDefault?: string;
  /** Its value in docker-compose.yml; without it `${NAME:-}`, which .env sets. null if containers fix it or do not need it. */
  compose?: string | null;
  /** A comment above that line. */
  composeNote?: string;
  /** Its value in .env.example; without it the default. */
  example?: string;
}

const postgres = read.serverUrl(["postgres:", "postgresql:"], "postgres://user:password@host:5432/name");
const redis = read.serverUrl(["redis:", "rediss:"], "redis://host:6379");
const created = (name: string): string => `\${${name}:?create a value with "openssl rand -hex 32" and set it in .env}`;

/**
 * All settings by the name of their environment variable, in the order of docs/settings.md. `Config`, the checks, the set-up
 * page, docs/settings.md, docker-compose.yml and .env.example come from here.
 */
const settings = {
  DATABASE_URL: optional(postgres, {
    secret: true,
    onlyEnvironment: true,
    compose: `postgres://dayletter:${created("POSTGRES_PASSWORD")}@db:5432/dayletter`,
  }),
  REDIS_URL: optional(redis, { secret: true, compose: `redis://:${created("REDIS_PASSWORD")}@redis:6379` }),
  DATA_DIR: setting((raw) => resolve(raw), "./data", { onlyEnvironment: true, compose: null }),
  SMTP_URL: optional(parseRelay, {
    property: null,
    secret: true,
    compose: "${SMTP_URL:?set it to the URL of your mail relay in .env, see .env.example}",
  }),
  MAIL_TRANSPORT: optional(read.line, { compose: null, example: "/etc/dayletter/transport.mjs" }),
  SMTP_CONNECTIONS: setting(read.wholeNumber(1, 500), "10"),
  SMTP_RATE: optional(read.rate(100_000), { example: "50" }),
  SMTP_ALLOW_CLEARTEXT: setting(read.flag, "0", { property: null }),
  DKIM_DOMAIN: optional(read.line, {
    property: null,
    shownDefault: "domain of MAIL_FROM",
    example: "news.example.com",
  }),
  DKIM_SELECTOR: setting(read.lines, "", { property: null, example: "dl2026" }),
  DKIM_KEY_FILE: setting(read.lines, "", {
    property: null,
    composeNote: "Paths in the container. Mount the files with a volume.",
    example: "/etc/dayletter/dl2026.pem",
  }),
  BOUNCE_ADDRESS: optional(parseBounceAddress, { example: "bounce@news.example.com" }),
  BOUNCE_LISTEN: optional(read.listenAddress, { example: "0.0.0.0:2525" }),
  BOUNCE_IMAP: optional(parseImap, { secret: true, example: "imaps://user:password@imap.example.com/INBOX" }),
  HOOK_SES_TOPIC: optional(parseSnsTopic, { example: "arn:aws:sns:eu-central-1:123456789012:bounces" }),
  HOOK_SENDGRID_KEY: optional(parseSendGridKey),
  HOOK_MAILGUN_KEY: optional(read.secret(16), { secret: true }),
  HOOK_POSTMARK_PASSWORD: optional(read.secret(32), { secret: true }),
  HOOK_BREVO_PASSWORD: optional(read.secret(32), { secret: true }),
  HOOK_SPARKPOST_PASSWORD: optional(read.secret(32), { secret: true }),
  HOST: setting(read.hostName, "127.0.0.1", { compose: "0.0.0.0" }),
  PORT: setting(read.wholeNumber(0, 65_535), "3000", { compose: "3000" }),
  TRUST_PROXY: setting(read.trustedProxies, "0"),
  HSTS_SUBDOMAINS: setting(read.flag, "0"),
  SECRET: optional(read.secret(32), { secret: true, compose: created("SECRET") }),
  PUBLICATION_NAME: setting(read.line, "Dayletter", { form: "publication" }),
  MAIL_FROM: optional(parseMailbox, {
    property: null,
    form: "publication",
    infrastructure: true,
    shownDefault: '"PUBLICATION_NAME" <alerts@localhost>',
    compose: "${MAIL_FROM:?set it to the sender of all emails in .env, see .env.example}",
  }),
  POSTAL_ADDRESS: optional(read.text, {
    form: "publication",
  }),
  PUBLIC_URL: optional(read.siteUrl, {
    property: null,
    form: "publication",
    infrastructure: true,
    shownDefault: "http://localhost:PORT",
  }),
  PUBLICATION_LOGO: optional(read.line, {
    property: null,
    composeNote: "A path in the container. Mount the file with a volume.",
    example: "/etc/dayletter/logo.png",
  }),
  LANGUAGE: setting(read.languageTag, "en", {
    form: "publication",
    composeNote: "Not LANGUAGE, which has another meaning in the shell of many desktops.",
    compose: "${PUBLICATION_LANGUAGE:-}",
  }),
  ACCENT_COLOUR: setting(read.hexColour, "#8a1c1c", { form: "publication" }),
  PICTURES: setting(read.choice(["off", "lead", "all"]), "off", { form: "publication" }),
  PRIVACY_URL: optional(read.pageUrl, { form: "publication", example: "https://example.com/privacy" }),
  IMPRINT_URL: optional(read.pageUrl, { form: "publication", example: "https://example.com/imprint" }),
  TIMEZONE: setting(parseTimezone, "UTC"),
  SEND_AT: setting(parseSendAt, "07:00"),
  SEND_DAYS: setting(parseSendDays, "mon-sun"),
  SOURCES: setting(read.feedUrls, ""),
  ALLOW_PRIVATE_SOURCES: setting(read.flag, "0"),
  MAX_ARTICLES: setting(read.wholeNumber(1, 100), "25", { form: "editions" }),
  CATCH_UP_HOURS: setting(read.wholeNumber(1, 168), "12", { form: "editions" }),
  EXPIRE_HOURS: setting(read.wholeNumber(1, 168), "24"),
  KEEP_DELIVERIES_DAYS: setting(read.wholeNumber(30, 36_500), "180"),
  WARMUP_START: optional(parseDate, { form: "editions", example: "2026-12-01" }),
  WARMUP_SCHEDULE: setting(read.steps(100_000_000), doubling(200, 14), { form: "editions" }),
  WARMUP_HOURS: setting(read.wholeNumber(1, 12), "1", { form: "editions" }),
  ASK_AGAIN_MONTHS: setting(read.monthsOrOff(6, 60), "0", { form: "editions" }),
  UNKNOWN_POLICY: setting(read.choice(["hold", "resend"]), "hold"),
  APPROVAL: setting(read.choice(["off", "hold", "send"]), "off", { form: "editions" }),
  APPROVAL_MINUTES: setting(read.wholeNumber(1, 1440), "60", { form: "editions" }),
  PRE_SEND_CHECKS: setting(read.choice(["on", "off"]), "on", { form: "editions" }),
  CHECK_LINKS: setting(read.flag, "1", { form: "editions" }),
  ALERT_MAIL: setting(parseAddresses, "", { form: "alerts", example: "news@example.com" }),
  ALERT_WEBHOOK: optional(read.callUrl, {
    property: null,
    secret: true,
    example: "https://example.com/hooks/dayletter",
  }),
  ALERT_WEBHOOK_SECRET: optional(read.secret(32), { property: null, secret: true }),
  ALERT_NOT_SENT: setting(read.wholeNumber(1, 100), "5", { form: "alerts" }),
  SLICE_SIZE: setting(read.wholeNumber(10, 10_000), "500"),
  LOG_LEVEL: setting(read.choice(["fatal", "error", "warn", "info", "debug", "trace", "silent"]), "info"),
  TRACES: setting(read.flag, "0"),
  REQUIRE_ONE_TIME_CODES: setting(read.flag, "0"),
  DAYLETTER_TOKEN: optional(read.secret(32), { property: "bootstrapToken", secret: true, onlyEnvironment: true }),
  DAYLETTER_URL: optional(read.siteUrl, { property: "serverUrl", onlyEnvironment: true, compose: null }),
  DAYLETTER_COMMAND: optional(read.line, { property: null, compose: "docker compose exec web dayletter" }),
};

type Table = typeof settings;
export type SettingName = keyof Table;
/** The values of all settings by name. */
export type Settings = { [Name in SettingName]: ReturnType<Table[Name]["value"]> };

type CamelCase<Name extends string> = Name extends `${infer First}_${infer Rest}`
  ? `${Lowercase<First>}${Capitalize<CamelCase<Rest>>}`
  : Lowercase<Name>;
type PropertyOf<Name extends SettingName> = Table[Name]["about"] extends { property: infer Property }
  ? Property & string
  : CamelCase<Name>;
/** The part of `Config` that has one property for one setting. */
export type PlainConfig = { [Name in SettingName as PropertyOf<Name>]: Settings[Name] };

export const settingNames = Object.keys(settings) as readonly SettingName[];

/** What a setting has besides its value. */
export function aboutSetting(name: SettingName): About & { fallback: string | null } {
  return { ...settings[name].about, fallback: settings[name].fallback };
}

const having = (part: "secret" | "onlyEnvironment" | "infrastructure"): SettingName[] =>
  settingNames.filter((name) => aboutSetting(name)[part] === true);

/** Settings that can also be given as `NAME_FILE`, the path of a file with the value. */
export const secretSettings: readonly SettingName[] = having("secret");
/** Settings that settings.env cannot have. */
export const environmentSettings: readonly SettingName[] = having("onlyEnvironment");
/** The settings that a form of operators' pages can change. */
export type PageSetting = {
  [N in SettingName]: Table[N]["about"] extends { form: SettingForm } ? N : never;
}[SettingName];
export const pageSettings = settingNames.filter((name) => aboutSetting(name).form !== undefined) as PageSetting[];
const infrastructure = having("infrastructure");
/** Settings that the database can keep for all processes that share it. */
export const sharedSettings: readonly SettingName[] = [
  ...pageSettings.filter((name) => !infrastructure.includes(name)),
  "PUBLICATION_LOGO",
];

/** What is wrong with a setting, or with a variable that is probably meant as one. */
export interface SettingProblem {
  /** Name of the setting, the variable or the file. */
  name: string;
  code: ErrorCode;
  data: Record<string, unknown>;
}

/** Reads all settings. @param given trimmed, without empty texts */
export function parseSettings(given: Readonly<Record<string, string>>): {
  values: Settings | null;
  problems: SettingProblem[];
} {
  const problems: SettingProblem[] = [];
  const entries = settingNames.map((name) => {
    try {
      return [name, settings[name].value(given[name])];
    } catch (error) {
      problems.push(problemOf(name, error));
      return [name, null];
    }
  });
  return { values: problems.length === 0 ? (Object.fromEntries(entries) as Settings) : null, problems };
}

/** @throws what was thrown, unless it is a refusal of the setting's value */
export function problemOf(name: SettingName, error: unknown): SettingProblem {
  if (!(error instanceof Refusal) || error.code === null) throw error;
  return { name, code: error.code, data: error.details };
}

/** The properties of `Config` that are the value of one setting. */
export function plainConfig(values: Settings): PlainConfig {
  const entries = settingNames.flatMap((name) => {
    const { property = camelCase(name) } = aboutSetting(name);
    return property === null ? [] : [[property, values[name]] as const];
  });
  return Object.fromEntries(entries) as PlainConfig;
}

function camelCase(name: string): string {
  return name.toLowerCase().replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
}

/** `200,400,800` for three numbers from 200 on. */
function doubling(first: number, count: number): string {
  return Array.from({ length: count }, (_, step) => first * 2 ** step).join(",");
}

interface Setting<T, A> {
  /** The value of a text, or of a setting that is not set. @throws Refusal 422 */
  value(raw: string | undefined): T;
  fallback: string | null;
  about: A;
}

/** A setting that always has a value. `fallback` is parsed like the text of the variable. */
function setting<T, const A extends About = {}>(reader: Reader<T>, fallback: string, about = {} as A): Setting<T, A> {
  return { value: (raw) => reader(raw ?? fallback), fallback, about };
}

/** A setting that is null if not set. */
function optional<T, const A extends About = {}>(reader: Reader<T>, about = {} as A): Setting<T | null, A> {
  return { value: (raw) => (raw === undefined ? null : reader(raw)), fallback: null, about };
}
