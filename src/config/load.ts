import { domainOf } from "../base/address.ts";
import {
  plainConfig,
  parseSettings,
  problemOf,
  secretSettings,
  type PlainConfig,
  type SettingProblem,
  type Settings,
} from "./settings.ts";
import { nearMisses, ConfigError, missing } from "./problems.ts";
import { existsSync, readFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { Refusal } from "../base/errors.ts";
import { packageRoot } from "../package-root.ts";
import { logoOf, readLogo, type Logo } from "./logo.ts";
import type { Relay } from "./mail.ts";
import { type SavedSettings, openSaved, readSaved } from "./saved-settings.ts";
import { isLoopback } from "./parse-values.ts";

/** The settings of one process, read once at start: one property for one setting, and what is computed from several. null means unset. */
export interface Config extends PlainConfig {
  /** null: emails go to the transport of MAIL_TRANSPORT, otherwise to the outbox. */
  smtp: SmtpConfig | null;
  /** Without trailing slash. */
  publicUrl: string;
  mailFrom: { name: string; address: string };
  logo: Logo | null;
  /** Nothing may be sent yet, because the relay is on another machine and POSTAL_ADDRESS is missing. */
  postalAddressMissing: boolean;
  /** The webhook for alerts, and the key of its signatures. */
  alertWebhook: { url: string; secret: string } | null;
  /** The keys that emails are signed with; none means unsigned. */
  dkim: { domain: string; selector: string; file: string }[];
  /** Which engines run inside this process. */
  embedded: { records: boolean; queue: "embedded" | "postgres" | "redis"; mail: boolean };
}

export interface SmtpConfig extends Relay {
  /** Refuse to send unless the connection is encrypted. */
  requireTls: boolean;
}

/**
 * Reads the settings from environment variables; a blank one counts as unset. Throws a ConfigError with all wrong values,
 * missing settings and misspelt names, and never shows a password or token.
 */
export function loadConfig(env: NodeJS.ProcessEnv = process.env): Config {
  const { values, problems } = environment(env);
  return checked(values, { problems });
}

/** What `checked` knows besides the texts. */
interface About {
  problems?: readonly SettingProblem[];
  /** The content of a logo that is not in a file. */
  logo?: Buffer | null;
  /** POSTAL_ADDRESS may be set later: on a page, which only a running server has. */
  addressLater?: boolean;
}

function checked(env: NodeJS.ProcessEnv, { problems: fileProblems = [], logo: content, addressLater }: About): Config {
  const given = withoutBlanks(env);
  const parsed = parseSettings(given);
  const logo = content ? { found: logoOf(content), problems: [] } : findLogo(given);
  const gaps = fileProblems.length > 0 ? [] : missing(given);
  const incomplete = addressLater ? gaps.filter(({ name }) => name !== "POSTAL_ADDRESS") : gaps;
  const problems = [...fileProblems, ...parsed.problems, ...logo.problems, ...incomplete, ...nearMisses(given)];
  if (parsed.values === null || problems.length > 0) throw new ConfigError(problems);
  return toConfig(parsed.values, logo.found);
}

/**
 * The settings of this machine: the environment, which overrides the file of the Setup page. With `DATABASE_URL`, the
 * database can have others. Throws a ConfigError.
 */
export function loadHere(env: NodeJS.ProcessEnv = process.env): Config {
  const given = environment(env);
  if (given.values.DATABASE_URL !== undefined || given.problems.length > 0)
    return checked(given.values, { problems: given.problems, addressLater: true });
  const own = readSaved(given.values.DATA_DIR ?? "./data");
  if (own.problems.length > 0) throw new ConfigError(own.problems);
  return checked({ ...own.values, ...given.values }, {});
}

/** The environment, and what it makes of settings that are saved elsewhere. */
export interface SettingsSource {
  /** Names that it sets. */
  fixed: ReadonlySet<string>;
  /** The settings together with saved ones, which it overrides. Throws a ConfigError. */
  combine(saved: Readonly<Record<string, string>>, about?: Pick<About, "logo" | "addressLater">): Config;
}

export function settingsSource(env: NodeJS.ProcessEnv = process.env): SettingsSource {
  const { values: given } = environment(env);
  const hasLogo = given["PUBLICATION_LOGO"] !== undefined;
  return {
    fixed: new Set(Object.keys(given)),
    combine: (saved, { logo, ...about } = {}) =>
      checked({ ...saved, ...given }, { ...about, logo: hasLogo ? null : (logo ?? null) }),
  };
}

/** @throws Refusal 422 with all problems, for settings that are not valid together */
export function refuseInvalid(combine: () => Config): void {
  try {
    combine();
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    throw new Refusal(422, "settings_invalid", { problems: error.problems });
  }
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

/** The settings that one process with an embedded database keeps in its data folder. */
export function savedSettings({ dataDir }: Config, { fixed, combine }: SettingsSource): SavedSettings {
  return openSaved({ dataDir, fixed, check: (values) => refuseInvalid(() => combine(values)) });
}

/** The settings of the environment without blanks, with the values of secret files. */
function environment(env: NodeJS.ProcessEnv): { values: Record<string, string>; problems: SettingProblem[] } {
  return readSecretFiles(withoutBlanks(env));
}

/**
 * Replaces each `NAME_FILE` of a secret setting by `NAME` with the trimmed content of that file, for container secrets and
 * systemd credentials.
 * @returns the settings, and a problem for each file that cannot be used, whose setting is left out
 */
function readSecretFiles(given: Readonly<Record<string, string>>): ReturnType<typeof environment> {
  const values = { ...given };
  const problems: SettingProblem[] = [];
  for (const name of secretSettings) {
    const fileName = `${name}_FILE`;
    const path = given[fileName];
    if (path === undefined) continue;
    delete values[fileName];
    if (given[name] !== undefined) {
      problems.push({ name, code: "secret_given_twice", data: { fileName } });
      continue;
    }
    try {
      const text = readFileSync(path, "utf8").trim();
      if (text === "") problems.push({ name: fileName, code: "secret_file_empty", data: { setting: name, path } });
      else values[name] = text;
    } catch (error) {
      const { code: reason = "unknown" } = error as NodeJS.ErrnoException;
      problems.push({ name: fileName, code: "secret_file_unreadable", data: { path, reason } });
    }
  }
  return { values, problems };
}

function withoutBlanks(env: NodeJS.ProcessEnv): Record<string, string> {
  const entries = Object.entries(env).map(([name, value]) => [name, value?.trim() ?? ""] as const);
  return Object.fromEntries(entries.filter(([, value]) => value !== ""));
}

function findLogo({ PUBLICATION_LOGO: path, DATA_DIR: dataDir = "./data" }: Readonly<Record<string, string>>): {
  found: Logo | null;
  problems: SettingProblem[];
} {
  if (path === undefined) return { found: null, problems: [] };
  try {
    return { found: readLogo(dataDir, path), problems: [] };
  } catch (error) {
    return { found: null, problems: [problemOf("PUBLICATION_LOGO", error)] };
  }
}

function toConfig(values: Settings, logo: Logo | null): Config {
  const { SMTP_URL: relay, MAIL_FROM: from, ALERT_WEBHOOK: webhook, ALERT_WEBHOOK_SECRET: webhookSecret } = values;
  const { DATABASE_URL: databaseUrl, REDIS_URL: redisUrl } = values;
  const sender = from?.address ?? "alerts@localhost";
  return {
    ...plainConfig(values),
    smtp: relay && { ...relay, requireTls: !isLoopback(relay.host) && !values.SMTP_ALLOW_CLEARTEXT },
    publicUrl: values.PUBLIC_URL ?? `http://localhost:${values.PORT}`,
    mailFrom: { name: from?.name ?? values.PUBLICATION_NAME, address: sender },
    logo,
    postalAddressMissing: relay !== null && !isLoopback(relay.host) && values.POSTAL_ADDRESS === null,
    alertWebhook: webhook === null || webhookSecret === null ? null : { url: webhook, secret: webhookSecret },
    dkim: values.DKIM_SELECTOR.map((selector, i) => ({
      domain: values.DKIM_DOMAIN ?? domainOf(sender),
      selector,
      file: values.DKIM_KEY_FILE[i]!,
    })),
    embedded: {
      records: databaseUrl === null,
      queue: redisUrl !== null ? "redis" : databaseUrl !== null ? "postgres" : "embedded",
      mail: relay === null && values.MAIL_TRANSPORT === null,
    },
  };
}
