import type { Config } from "../../config.ts";
import { parseRelay, type Relay } from "../../config/mail.ts";
import type { OwnSettings } from "../../config/own.ts";
import type { Fields } from "../pages/fields.ts";

/** The settings that make a publication, as the set-up page asks for them. */
export const publicationFields = [
  {
    name: "PUBLICATION_NAME",
    label: "Name of the publication",
    note: "At the head of every mail and page.",
    of: (config: Config) => config.publicationName,
  },
  {
    name: "MAIL_FROM",
    label: "Sender",
    note: "Such as Telecom Daily <alerts@example.com>; your relay must let you send from it.",
    of: ({ mailFrom: { name, address } }: Config) => `"${name}" <${address}>`,
  },
  {
    name: "POSTAL_ADDRESS",
    label: "Postal address",
    note: "At the foot of every mail: the law of many countries asks for it.",
    of: (config: Config) => config.postalAddress ?? "",
  },
  {
    name: "PUBLIC_URL",
    label: "Address of these pages",
    note: "Links in mails lead there. After a change, sign in at the new address.",
    of: (config: Config) => config.publicUrl,
  },
  {
    name: "LANGUAGE",
    label: "Language of the news",
    note: "A language tag, such as en, de-CH or ko.",
    of: (config: Config) => config.language,
  },
  {
    name: "ACCENT_COLOUR",
    label: "Colour of links and buttons",
    note: "Such as #8a1c1c.",
    of: (config: Config) => config.accentColour,
  },
] as const;

/** A field as the form shows it. */
export interface ShownField {
  name: string;
  label: string;
  note: string;
  /** What was set here, or is being typed; a fixed one shows what is in force. */
  value: string;
  /** What is in force while nothing is set. */
  placeholder: string;
  /** The environment sets it. */
  fixed: boolean;
}

export function showFields(config: Config, settings: OwnSettings, typed: Record<string, string> = {}): ShownField[] {
  const own = settings.values();
  return publicationFields.map(({ name, label, note, of }) => {
    const fixed = settings.writable && settings.fixed.has(name);
    const value = fixed ? of(config) : (typed[name] ?? own[name] ?? "");
    return { name, label, note, value, placeholder: of(config), fixed };
  });
}

/** What was typed, for the settings that can be changed. */
export function readPublication(fields: Fields, settings: OwnSettings): Record<string, string> {
  const open = publicationFields.filter(({ name }) => !(settings.writable && settings.fixed.has(name)));
  return Object.fromEntries(
    open.filter(({ name }) => fields.has(name)).map(({ name }) => [name, fields.one(name).trim()]),
  );
}

/** A relay as its form asks for it. */
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
 * The value of SMTP_URL for what was typed; "" without a host. Port 465 means TLS from the first byte. A password left
 * empty is the present one, as long as host, port and user are those it belongs to.
 */
export function relayUrl({ host, port, user, password }: RelayFields, present: Relay | null): string {
  if (host === "") return "";
  const same = present !== null && present.host === host && String(present.port) === port && present.user === user;
  const secret = password === "" && same ? (present.password ?? "") : password;
  const login = user === "" ? "" : `${encodeURIComponent(user)}:${encodeURIComponent(secret)}@`;
  const shown = host.includes(":") && !host.startsWith("[") ? `[${host}]` : host;
  return `${port === "465" ? "smtps" : "smtp"}://${login}${shown}${port === "" ? "" : `:${port}`}`;
}

/** The relay of an SMTP_URL, for a look at it before it is set. @throws Refusal 422 */
export function relayOf(url: string): Relay {
  return parseRelay(url);
}

/** Lines for a shell or a compose file, where the page cannot set anything itself. */
export function environmentLines(change: Readonly<Record<string, string>>): string {
  return Object.entries(change)
    .filter(([, value]) => value !== "")
    .map(([name, value]) => `${name}='${value.replaceAll("'", `'\\''`)}'`)
    .join("\n");
}
