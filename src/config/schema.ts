import { z } from "zod";
import { Refusal } from "../base/errors.ts";
import { parseSendAt, parseSendDays, parseTimezone } from "../base/schedule-values.ts";
import { parseAddresses, parseMailbox, parseRelay } from "./mail.ts";
import type { Reader } from "./readers.ts";
import * as read from "./readers.ts";

/** What README.md says about a setting. */
interface Note {
  description: string;
  shownDefault: string;
}

export const notes = z.registry<Note>();

const postgres = read.serverUrl(["postgres:", "postgresql:"], "postgres://user:password@host:5432/name");
const redis = read.serverUrl(["redis:", "rediss:"], "redis://host:6379");

/**
 * Every setting, by the name of its environment variable, in the order of README.md. A field takes the text of
 * the variable or undefined, and carries its default as text and one line on what it does.
 */
export const settings = z.object({
  DATABASE_URL: optional(postgres, "PostgreSQL for the records. Unset: the embedded database in `DATA_DIR`."),
  REDIS_URL: optional(redis, "Redis for the queue. Unset: the queue lives beside the records."),
  DATA_DIR: setting(read.text, "./data", "Folder of everything the embedded engines keep."),
  SMTP_URL: optional(
    parseRelay,
    "Mail relay, `smtp://` (port 587, STARTTLS required unless the relay is on this machine) or `smtps://` (port 465). " +
      "Unset: mails go to `DATA_DIR/outbox`.",
  ),
  SMTP_CONNECTIONS: setting(read.wholeNumber(1, 500), "10", "Connections to the relay at once, 1 to 500."),
  SMTP_RATE: optional(read.rate(100_000), "Most messages handed to the relay in a second. Unset: no limit."),
  SMTP_ALLOW_CLEARTEXT: setting(
    read.flag,
    "0",
    "1 lets mails go to a distant relay without TLS; a password never does.",
  ),
  PUBLIC_URL: optional(
    read.siteUrl,
    "Address at which readers reach the web pages. Required when the relay is another machine.",
    "http://localhost:PORT",
  ),
  HOST: setting(read.hostName, "127.0.0.1", "Address to listen on; `0.0.0.0` for all."),
  PORT: setting(read.wholeNumber(0, 65_535), "3000", "Port to listen on; 0 takes a free one."),
  TRUST_PROXY: setting(
    read.trustedProxies,
    "0",
    "Whose X-Forwarded-* headers to believe: 0 for nobody's, 1 for those of the one proxy before this server, or the addresses or networks of your proxies.",
  ),
  HSTS_SUBDOMAINS: setting(
    read.flag,
    "0",
    "1 makes browsers use https for every subdomain of `PUBLIC_URL` too (`includeSubDomains`). Set it only if all of them have it.",
  ),
  SECRET: optional(
    read.secret(32),
    "Key of all links and sessions, 32 characters or more. Required with `DATABASE_URL`. Unset: made in `DATA_DIR`.",
  ),
  MAIL_FROM: optional(
    parseMailbox,
    "Sender of every mail. Required when the relay is another machine.",
    '"PUBLICATION_NAME" <alerts@localhost>',
  ),
  PUBLICATION_NAME: setting(read.line, "Dayletter", "Name of the publication."),
  PUBLICATION_LOGO: optional(
    read.line,
    "File of the logo, in `DATA_DIR` unless the path is absolute: SVG, PNG, JPEG or WebP, up to 200 kB. Mails show a PNG or JPEG.",
  ),
  POSTAL_ADDRESS: optional(
    read.text,
    "Postal address at the foot of every mail. Required when the relay is another machine.",
  ),
  LANGUAGE: setting(
    read.languageTag,
    "en",
    "Language of the publication, a BCP 47 tag. Mails speak English, German (`de`) or Korean (`ko`), readers’ pages English or German.",
  ),
  ACCENT_COLOUR: setting(read.hexColour, "#8a1c1c", "Colour of links and buttons in mails and pages."),
  TIMEZONE: setting(parseTimezone, "UTC", "IANA time zone in which dates and times are meant."),
  SEND_AT: setting(parseSendAt, "07:00", "Local time at which the edition is sent."),
  SEND_DAYS: setting(parseSendDays, "mon-sun", "Days with an edition: `mon-fri`, `mon,wed,fri`."),
  SOURCES: setting(read.feedUrls, "", "Feed URLs between commas."),
  ALLOW_PRIVATE_SOURCES: setting(read.flag, "0", "1 allows feeds on private and loopback addresses."),
  MAX_ARTICLES: setting(read.wholeNumber(1, 100), "25", "Most articles in one mail, 1 to 100."),
  CATCH_UP_HOURS: setting(
    read.wholeNumber(1, 168),
    "12",
    "How late an edition may still be sent after an outage, 1 to 168; later, its date is recorded as missed.",
  ),
  EXPIRE_HOURS: setting(read.wholeNumber(1, 168), "24", "How long a deferred delivery is tried again, 1 to 168."),
  UNKNOWN_POLICY: setting(
    read.choice(["hold", "resend"]),
    "hold",
    "Deliveries whose outcome the relay never told: `hold` them for an operator, or `resend` and risk a second copy.",
  ),
  APPROVAL: setting(
    read.choice(["off", "hold", "send"]),
    "off",
    "Whether a scheduled edition waits for an editor's approval: `off`; `hold` until it comes; or `send` at the deadline.",
  ),
  APPROVAL_MINUTES: setting(
    read.wholeNumber(1, 1440),
    "60",
    "How long after it is frozen an edition waits for approval, 1 to 1440.",
  ),
  GATE: setting(
    read.choice(["on", "off"]),
    "on",
    "`on` holds a scheduled edition for an editor when it is far from usual: its size, its readers, a silent source, a broken link.",
  ),
  CHECK_LINKS: setting(
    read.flag,
    "1",
    "1 lets the gate ask for the pages that the articles lead to, and hold an edition with a link that is certainly broken.",
  ),
  ALERT_MAIL: setting(parseAddresses, "", "Addresses, between commas, that are mailed when something is wrong."),
  ALERT_WEBHOOK: optional(
    read.callUrl,
    "Address that is called (POST, JSON, signed as Standard Webhooks has it) when something is wrong.",
  ),
  ALERT_WEBHOOK_SECRET: optional(
    read.secret(32),
    "Key of those signatures, 32 characters or more. Required with `ALERT_WEBHOOK`.",
  ),
  ALERT_NOT_SENT: setting(
    read.wholeNumber(1, 100),
    "5",
    "Percent of an edition's readers not sent to, 1 to 100, above which a finished edition is told of.",
  ),
  SLICE_SIZE: setting(read.wholeNumber(10, 10_000), "500", "Deliveries in one queue job, 10 to 10000."),
  LOG_LEVEL: setting(
    read.choice(["fatal", "error", "warn", "info", "debug", "trace", "silent"]),
    "info",
    "How much is logged: `fatal`, `error`, `warn`, `info`, `debug`, `trace` or `silent`.",
  ),
  TRACES: setting(read.flag, "0", "1 makes OpenTelemetry spans of every edition, for an SDK that you preload."),
  REQUIRE_ONE_TIME_CODES: setting(
    read.flag,
    "0",
    "1 requires one-time codes of every operator: without them, all an operator can do is to turn them on.",
  ),
  DAYLETTER_TOKEN: optional(
    read.secret(32),
    "API token, 32 characters or more. The server accepts it for as long as it is set here; the command line sends it.",
  ),
  DAYLETTER_URL: optional(read.siteUrl, "Server that the command line speaks to. Unset: the one on this machine."),
  DAYLETTER_COMMAND: optional(
    read.line,
    "How you call the command line, for the texts that name a command, such as `docker compose exec web dayletter`. " +
      "Unset: `npx dayletter` in a clone, else `dayletter`.",
  ),
});

export type Settings = z.output<typeof settings>;
type SettingName = keyof typeof settings.shape;

export const settingNames: readonly SettingName[] = settings.keyof().options;

/** Settings whose values hold secrets: each can also be given as `NAME_FILE`, the path of a file with the value. */
export const secretSettings: readonly SettingName[] = [
  "DATABASE_URL",
  "REDIS_URL",
  "SMTP_URL",
  "SECRET",
  "ALERT_WEBHOOK",
  "ALERT_WEBHOOK_SECRET",
  "DAYLETTER_TOKEN",
];

/** A setting that always has a value: `fallback` is read like the text of the variable would be. */
function setting<T>(reader: Reader<T>, fallback: string, does: string) {
  return z
    .string()
    .optional()
    .transform((raw, context) => run(reader, raw ?? fallback, context))
    .register(notes, { description: does, shownDefault: fallback });
}

/** A setting that is null when unset; `shownDefault` is for the table, if others decide what stands in for it. */
function optional<T>(reader: Reader<T>, does: string, shownDefault = "") {
  return z
    .string()
    .optional()
    .transform((raw, context) => (raw === undefined ? null : run(reader, raw, context)))
    .register(notes, { description: does, shownDefault });
}

function run<T>(reader: Reader<T>, raw: string, context: z.RefinementCtx): T {
  try {
    return reader(raw);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    context.addIssue({ code: "custom", message: error.message });
    return z.NEVER;
  }
}
