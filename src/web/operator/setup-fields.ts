import type { Refusal } from "../../base/errors.ts";
import { englishWording, sayFailure, type MessageKey } from "../../texts/catalogue.ts";
import type { Config } from "../../config/load.ts";
import { parseRelay, type Relay } from "../../config/mail.ts";
import type { SavedSettings } from "../../config/saved-settings.ts";
import { sayProblem } from "../../texts/problems.ts";
import {
  aboutSetting,
  pageSettings,
  type PageSetting,
  type SettingForm,
  type SettingName,
  type SettingProblem,
} from "../../config/settings.ts";
import type { Fields } from "../pages/fields.ts";

const { say } = englishWording();

/** The active value of a setting, as its field shows it. */
const activeValue: Record<PageSetting, (config: Config) => string> = {
  PUBLICATION_NAME: (config) => config.publicationName,
  MAIL_FROM: ({ mailFrom: { name, address } }) => `"${name}" <${address}>`,
  POSTAL_ADDRESS: (config) => config.postalAddress ?? "",
  PUBLIC_URL: (config) => config.publicUrl,
  LANGUAGE: (config) => config.language,
  ACCENT_COLOUR: (config) => config.accentColour,
  PICTURES: (config) => config.pictures,
  PRIVACY_URL: (config) => config.privacyUrl ?? "",
  IMPRINT_URL: (config) => config.imprintUrl ?? "",
  MAX_ARTICLES: (config) => String(config.maxArticles),
  CATCH_UP_HOURS: (config) => String(config.catchUpHours),
  WARMUP_START: (config) => config.warmupStart ?? "",
  WARMUP_SCHEDULE: (config) => config.warmupSchedule.join(","),
  WARMUP_HOURS: (config) => String(config.warmupHours),
  ASK_AGAIN_MONTHS: (config) => String(config.askAgainMonths),
  APPROVAL: (config) => config.approval,
  APPROVAL_MINUTES: (config) => String(config.approvalMinutes),
  PRE_SEND_CHECKS: (config) => config.preSendChecks,
  CHECK_LINKS: (config) => (config.checkLinks ? "1" : "0"),
  ALERT_MAIL: (config) => config.alertMail.join(", "),
  ALERT_NOT_SENT: (config) => String(config.alertNotSent),
};

/** Settings that are one of a few values, with the text of each. */
const choicesOf: Partial<Record<PageSetting, readonly (readonly [value: string, text: MessageKey])[]>> = {
  PICTURES: [
    ["off", "pictures.off"],
    ["lead", "pictures.lead"],
    ["all", "pictures.all"],
  ],
  APPROVAL: [
    ["off", "setting.APPROVAL.off"],
    ["hold", "setting.APPROVAL.hold"],
    ["send", "setting.APPROVAL.send"],
  ],
  PRE_SEND_CHECKS: [
    ["on", "setting.PRE_SEND_CHECKS.on"],
    ["off", "setting.PRE_SEND_CHECKS.off"],
  ],
  CHECK_LINKS: [
    ["1", "setting.CHECK_LINKS.1"],
    ["0", "setting.CHECK_LINKS.0"],
  ],
};

/** A field of the form. */
export interface ShownField {
  name: string;
  label: string;
  note: string;
  /** The saved or entered value. A fixed field shows the active value. */
  value: string;
  /** The active value while the field is empty. */
  placeholder: string;
  /** The values to choose from; empty for a text. */
  choices: { value: string; label: string }[];
  /** Whether only the environment can change it. */
  fixed: boolean;
  /** The error message, or null. */
  wrong: string | null;
}

const fieldsOf = (form: SettingForm): PageSetting[] => pageSettings.filter((name) => aboutSetting(name).form === form);

/** The fields of a form, with the saved values or those that were entered. */
export async function showFields(
  { config, settings }: { config: Config; settings: SavedSettings },
  form: SettingForm,
  entered: { values?: Record<string, string> | undefined; wrong?: Record<string, string> | undefined } = {},
): Promise<ShownField[]> {
  const { values: typed = {}, wrong = {} } = entered;
  const own = await settings.values();
  return fieldsOf(form).map((name) => {
    const fixed = settings.fixed(name);
    const active = activeValue[name](config);
    return {
      name,
      label: labelOf(name),
      note: noteOf(name, fixed),
      value: fixed ? active : (typed[name] ?? own[name] ?? ""),
      placeholder: active,
      choices: (choicesOf[name] ?? []).map(([value, text]) => ({ value, label: say(text) })),
      fixed: fixed !== null,
      wrong: wrong[name] ?? null,
    };
  });
}

function noteOf(name: PageSetting, fixed: ReturnType<SavedSettings["fixed"]>): string {
  if (fixed === null) return say(`setting.${name}.note`);
  return say(fixed === "set" ? "setup.environment_sets" : "setup.only_environment", { name });
}

/** The entered values of the form's settings that can be changed. The choice of a default is no value. */
export function readForm(fields: Fields, form: SettingForm, settings: SavedSettings): Record<string, string> {
  const open = fieldsOf(form).filter((name) => fields.has(name) && settings.fixed(name) === null);
  return Object.fromEntries(
    open.map((name) => {
      const value = fields.one(name).trim();
      return [name, choicesOf[name] && value === aboutSetting(name).fallback ? "" : value];
    }),
  );
}

/** The settings that each form changes. */
const settingsOf: Readonly<Record<string, readonly SettingName[]>> = {
  publication: fieldsOf("publication"),
  editions: fieldsOf("editions"),
  alerts: fieldsOf("alerts"),
  relay: ["SMTP_URL"],
  logo: ["PUBLICATION_LOGO"],
};

/**
 * Assigns problems with settings to the form's fields, in the words of the form.
 * @param step the submitted form
 * @returns error messages by field, and one for the top of the form
 */
export function sortProblems(refusal: Refusal, step: string): { fields: Record<string, string>; sentence: string } {
  if (refusal.code !== "settings_invalid") return { fields: {}, sentence: sayFailure(refusal) };
  const fields: Record<string, string> = {};
  const others: string[] = [];
  for (const problem of refusal.details["problems"] as SettingProblem[]) {
    const page = pageSettings.find((name) => name === problem.name);
    const shown = page ? `“${labelOf(page)}”` : problem.name;
    const entered = settingsOf[step]?.some((name) => name === problem.name) ?? false;
    const sentence = sayProblem(problem, shown, !entered);
    if (entered && page) fields[page] = sentence;
    else others.push(sentence);
  }
  const marked = pageSettings.filter((name) => fields[name] !== undefined).map((name) => `“${labelOf(name)}”`);
  if (marked.length > 0) others.push(say("setup.check_fields", { fields: marked.join(", ") }));
  return { fields, sentence: others.join(" ") };
}

const labelOf = (name: PageSetting): string => say(`setting.${name}.label`);

/** The fields of the relay form. */
export interface RelayFields {
  host: string;
  port: string;
  user: string;
  password: string;
}

export function readRelay(fields: Fields): RelayFields {
  return {
    host: fields.one("host").trim(),
    port: fields.one("port").trim(),
    user: fields.one("user").trim(),
    password: fields.one("password"),
  };
}

/**
 * The value of SMTP_URL for the form's fields; "" without a host. Port 465 means implicit TLS. An empty password keeps the
 * present one if host, port and user are unchanged.
 */
export function relayUrl({ host, port, user, password }: RelayFields, present: Relay | null): string {
  if (host === "") return "";
  const same = present !== null && present.host === host && String(present.port) === port && present.user === user;
  const secret = password === "" && same ? (present.password ?? "") : password;
  const login = user === "" ? "" : `${encodeURIComponent(user)}:${encodeURIComponent(secret)}@`;
  const shown = host.includes(":") && !host.startsWith("[") ? `[${host}]` : host;
  return `${port === "465" ? "smtps" : "smtp"}://${login}${shown}${port === "" ? "" : `:${port}`}`;
}

/** Parses an SMTP_URL to check the relay before it is saved. @throws Refusal 422 */
export function relayOf(url: string): Relay {
  return parseRelay(url);
}

/** Variables for a shell or an env file, for servers whose settings the page cannot change. */
export function environmentLines(change: Readonly<Record<string, string>>): string {
  return Object.entries(change)
    .filter(([, value]) => value !== "")
    .map(([name, value]) => `${name}='${value.replaceAll("'", `'\\''`)}'`)
    .join("\n");
}
