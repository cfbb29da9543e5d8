import { existsSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { Refusal, reasonOf } from "../base/errors.ts";
import { packageRoot } from "../package-root.ts";
import { readLogo, type Logo } from "./logo.ts";
import { isLoopback } from "./readers.ts";
import { readSecretFiles } from "./from-file.ts";
import type { Relay } from "./mail.ts";
import { missing } from "./missing.ts";
import { nearMisses } from "./near-miss.ts";
import { openOwn, readOwn, type OwnSettings } from "./own.ts";
import { settings, type Settings } from "./schema.ts";

/** The settings of one process, read once at start. null means unset. */
export interface Config {
  databaseUrl: string | null;
  redisUrl: string | null;
  /** Absolute path. */
  dataDir: string;
  smtp: SmtpConfig | null;
  /** Messages per second. */
  smtpRate: number | null;
  smtpConnections: number;
  /** Without trailing slash. */
  publicUrl: string;
  host: string;
  port: number;
  /** true for one proxy with any address; otherwise the addresses or networks of all proxies. */
  trustProxy: boolean | string[];
  /** Strict-Transport-Security includes the subdomains of `publicUrl`. */
  hstsSubdomains: boolean;
  /** null only with the embedded database: then one is created in `dataDir`. */
  secret: string | null;
  mailFrom: { name: string; address: string };
  publicationName: string;
  logo: Logo | null;
  postalAddress: string | null;
  /** Canonical BCP 47 tag. */
  language: string;
  /** "#rrggbb". */
  accentColour: string;
  /** IANA name. */
  timezone: string;
  /** Local "HH:MM". */
  sendAt: string;
  /** Sorted ISO 8601 weekday numbers, 1 for Monday to 7 for Sunday. */
  sendDays: number[];
  /** Feed URLs. */
  sources: string[];
  allowPrivateSources: boolean;
  maxArticles: number;
  catchUpHours: number;
  expireHours: number;
  unknownPolicy: Settings["UNKNOWN_POLICY"];
  approval: Settings["APPROVAL"];
  approvalMinutes: number;
  gate: Settings["GATE"];
  checkLinks: boolean;
  /** Addresses that get alerts. */
  alertMail: string[];
  /** The webhook for alerts, and the key of its signatures. */
  alertWebhook: { url: string; secret: string } | null;
  /** Percent of an edition's readers. */
  alertNotSent: number;
  /** Deliveries per queue job. */
  sliceSize: number;
  logLevel: Settings["LOG_LEVEL"];
  /** Whether to create OpenTelemetry spans. */
  traces: boolean;
  /** Whether operators must use one-time codes; API tokens are not affected. */
  requireOneTimeCodes: boolean;
  /** API token that is valid from the first start; the command line sends it. */
  bootstrapToken: string | null;
  /** Server that the command line calls. */
  serverUrl: string | null;
  /** Which engines run inside this process. */
  embedded: { records: boolean; queue: "embedded" | "postgres" | "redis"; mail: boolean };
}

export interface SmtpConfig extends Relay {
  /** Refuse to send unless the connection is encrypted. */
  requireTls: boolean;
}

/** All problems of the settings, one sentence each. The process exits with 2. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
  readonly problems: string[];

  constructor(problems: string[]) {
    super(problems.join("\n"));
    this.problems = problems;
  }
}

/**
 * Reads the settings from environment variables; a blank one counts as unset. Throws a ConfigError with all wrong values,
 * missing settings and misspelt names, and never shows a password or token.
 */
export function loadConfig(env: NodeJS.ProcessEnv = process.env): Config {
  const { values, problems } = environment(env);
  return checked(values, problems);
}

function checked(env: NodeJS.ProcessEnv, fileProblems: readonly string[]): Config {
  const given = withoutBlanks(env);
  const parsed = settings.safeParse(given);
  const wrong = parsed.success ? [] : parsed.error.issues.map(({ path, message }) => `${path.join(".")}: ${message}`);
  const logo = findLogo(given);
  const incomplete = fileProblems.length > 0 ? [] : missing(given);
  const problems = [...fileProblems, ...wrong, ...logo.problems, ...incomplete, ...nearMisses(given)];
  if (!parsed.success || problems.length > 0) throw new ConfigError(problems);
  return { ...toConfig(parsed.data), logo: logo.found };
}

/** The settings of this machine: the environment, which overrides the file of the set-up page. Throws a ConfigError. */
export function loadHere(env: NodeJS.ProcessEnv = process.env): Config {
  const given = environment(env);
  // Processes that share a database must have the same settings, so only the environment counts there.
  if (given.values.DATABASE_URL !== undefined || given.problems.length > 0)
    return checked(given.values, given.problems);
  const own = readOwn(given.values.DATA_DIR ?? "./data");
  if (own.problems.length > 0) throw new ConfigError(own.problems);
  return checked({ ...own.values, ...given.values }, []);
}

/**
 * How to call the command line, for texts that name a command. It is read apart from the other settings, because their
 * errors can name a command too.
 * @param root the folder of package.json
 */
export function commandName(env: NodeJS.ProcessEnv = process.env, root = packageRoot): string {
  const given = env.DAYLETTER_COMMAND?.trim();
  if (given) return given;
  // Only a clone has tsconfig.json. A package installed without -g is in the node_modules of a project.
  const inClone = existsSync(join(root, "tsconfig.json"));
  const inProject = basename(dirname(root)) === "node_modules" && existsSync(join(root, "../../package.json"));
  return inClone || inProject ? "npx dayletter" : "dayletter";
}

/** The settings for the set-up page. */
export function ownSettings({ dataDir, embedded }: Config, env: NodeJS.ProcessEnv = process.env): OwnSettings {
  const { values: given } = environment(env);
  const writable = embedded.records;
  return openOwn({
    dataDir,
    writable,
    fixed: new Set(Object.keys(given)),
    check(values) {
      try {
        checked(writable ? { ...values, ...given } : { ...given, ...values }, []);
      } catch (error) {
        if (!(error instanceof ConfigError)) throw error;
        throw new Refusal(422, "settings_invalid", { reasons: error.problems.join(" "), problems: error.problems });
      }
    },
  });
}

/** The settings of the environment without blanks, with the values of secret files. */
function environment(env: NodeJS.ProcessEnv): ReturnType<typeof readSecretFiles> {
  return readSecretFiles(withoutBlanks(env));
}

function withoutBlanks(env: NodeJS.ProcessEnv): Record<string, string> {
  const entries = Object.entries(env).map(([name, value]) => [name, value?.trim() ?? ""] as const);
  return Object.fromEntries(entries.filter(([, value]) => value !== ""));
}

function findLogo({ PUBLICATION_LOGO: path, DATA_DIR: dataDir = "./data" }: Readonly<Record<string, string>>): {
  found: Logo | null;
  problems: string[];
} {
  if (path === undefined) return { found: null, problems: [] };
  try {
    return { found: readLogo(dataDir, path), problems: [] };
  } catch (error) {
    return { found: null, problems: [`PUBLICATION_LOGO: ${reasonOf(error)}`] };
  }
}

function toConfig(values: Settings): Omit<Config, "logo"> {
  const { SMTP_URL: relay, MAIL_FROM: from, DATABASE_URL: databaseUrl, REDIS_URL: redisUrl } = values;
  return {
    databaseUrl,
    redisUrl,
    dataDir: resolve(values.DATA_DIR),
    smtp: relay && { ...relay, requireTls: !isLoopback(relay.host) && !values.SMTP_ALLOW_CLEARTEXT },
    smtpConnections: values.SMTP_CONNECTIONS,
    smtpRate: values.SMTP_RATE,
    publicUrl: values.PUBLIC_URL ?? `http://localhost:${values.PORT}`,
    host: values.HOST,
    port: values.PORT,
    trustProxy: values.TRUST_PROXY,
    hstsSubdomains: values.HSTS_SUBDOMAINS,
    secret: values.SECRET,
    mailFrom: { name: from?.name ?? values.PUBLICATION_NAME, address: from?.address ?? "alerts@localhost" },
    publicationName: values.PUBLICATION_NAME,
    postalAddress: values.POSTAL_ADDRESS,
    language: values.LANGUAGE,
    accentColour: values.ACCENT_COLOUR,
    timezone: values.TIMEZONE,
    sendAt: values.SEND_AT,
    sendDays: values.SEND_DAYS,
    sources: values.SOURCES,
    allowPrivateSources: values.ALLOW_PRIVATE_SOURCES,
    maxArticles: values.MAX_ARTICLES,
    catchUpHours: values.CATCH_UP_HOURS,
    expireHours: values.EXPIRE_HOURS,
    unknownPolicy: values.UNKNOWN_POLICY,
    approval: values.APPROVAL,
    approvalMinutes: values.APPROVAL_MINUTES,
    gate: values.GATE,
    checkLinks: values.CHECK_LINKS,
    alertMail: values.ALERT_MAIL,
    alertWebhook:
      values.ALERT_WEBHOOK === null || values.ALERT_WEBHOOK_SECRET === null
        ? null
        : { url: values.ALERT_WEBHOOK, secret: values.ALERT_WEBHOOK_SECRET },
    alertNotSent: values.ALERT_NOT_SENT,
    sliceSize: values.SLICE_SIZE,
    logLevel: values.LOG_LEVEL,
    traces: values.TRACES,
    requireOneTimeCodes: values.REQUIRE_ONE_TIME_CODES,
    bootstrapToken: values.DAYLETTER_TOKEN,
    serverUrl: values.DAYLETTER_URL,
    embedded: {
      records: databaseUrl === null,
      queue: redisUrl !== null ? "redis" : databaseUrl !== null ? "postgres" : "embedded",
      mail: relay === null,
    },
  };
}
