import type { Refusal } from "../../base/errors.ts";
import type { Config } from "../../config/load.ts";
import { parseRelay, type Relay } from "../../config/mail.ts";
import type { OwnSettings } from "../../config/own.ts";
import type { Fields } from "../pages/fields.ts";

/** The publication's settings on the setup page. */
export const publicationFields = [
  {
    name: "PUBLICATION_NAME",
    label: "Publication name",
    note: "Appears at the top of every email and page.",
    of: (config: Config) => config.publicationName,
  },
  {
    name: "MAIL_FROM",
    label: "Sender",
    note: "For example, Telecom Daily <alerts@example.com>. Your relay must allow you to send from this address.",
    of: ({ mailFrom: { name, address } }: Config) => `"${name}" <${address}>`,
  },
  {
    name: "POSTAL_ADDRESS",
    label: "Postal address",
    note: "Appears at the bottom of every email. Many countries require it by law.",
    of: (config: Config) => config.postalAddress ?? "",
  },
  {
    name: "PUBLIC_URL",
    label: "Public address",
    note: "The address of these pages, used for links in emails. After a change, sign in at the new address.",
    of: (config: Config) => config.publicUrl,
  },
  {
    name: "LANGUAGE",
    label: "News language",
    note: "A language tag such as en, de-CH or ko.",
    of: (config: Config) => config.language,
  },
  {
    name: "ACCENT_COLOUR",
    label: "Accent colour",
    note: "The colour of links and buttons, such as #8a1c1c.",
    of: (config: Config) => config.accentColour,
  },
] as const;

/** A field of the form. */
export interface ShownField {
  name: string;
  label: string;
  note: string;
  /** The saved or entered value. A fixed field shows the active value. */
  value: string;
  /** The active value while the field is empty. */
  placeholder: string;
  /** Whether the environment sets it. */
  fixed: boolean;
  /** The error message, or null. */
  wrong: string | null;
}

export function showFields(
  config: Config,
  settings: OwnSettings,
  typed: Record<string, string> = {},
  wrong: Record<string, string> = {},
): ShownField[] {
  const own = settings.values();
  return publicationFields.map(({ name, label, note, of }) => {
    const fixed = settings.writable && settings.fixed.has(name);
    const value = fixed ? of(config) : (typed[name] ?? own[name] ?? "");
    return { name, label, note, value, placeholder: of(config), fixed, wrong: wrong[name] ?? null };
  });
}

/** The entered values of the settings that can be changed. */
export function readPublication(fields: Fields, settings: OwnSettings): Record<string, string> {
  const open = publicationFields.filter(({ name }) => !(settings.writable && settings.fixed.has(name)));
  return Object.fromEntries(
    open.filter(({ name }) => fields.has(name)).map(({ name }) => [name, fields.one(name).trim()]),
  );
}

/**
 * Assigns problems with settings to the form's fields, and replaces setting names by field labels.
 * @returns error messages by field, and one for the top of the form
 */
export function sortProblems({ message, details }: Refusal): { fields: Record<string, string>; sentence: string } {
  const problems = Array.isArray(details["problems"]) ? (details["problems"] as string[]) : [message];
  const fields: Record<string, string> = {};
  const others: string[] = [];
  for (const problem of problems) {
    const [, name = "", rest = ""] = /^([A-Z_]+): (.*)$/s.exec(problem) ?? [];
    if (publicationFields.some((field) => field.name === name)) fields[name] = inWords(rest);
    else others.push(inWords(problem.replace(/^SMTP_URL: /, "")));
  }
  const marked = publicationFields.filter(({ name }) => Object.hasOwn(fields, name)).map(({ label }) => `“${label}”`);
  if (marked.length > 0) others.push(`Check ${marked.join(", ")}.`);
  return { fields, sentence: others.join(" ") };
}

/** Replaces names of settings by the labels of their fields. */
function inWords(sentence: string): string {
  const named = publicationFields.reduce((text, { name, label }) => text.replaceAll(name, `“${label}”`), sentence);
  const plain = named.replaceAll(" in SMTP_URL", "");
  return /^https?:/.test(plain) ? plain : plain.charAt(0).toUpperCase() + plain.slice(1);
}

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
