import { z } from "zod";
import { Refusal } from "../base/errors.ts";
import { parseSendAt, parseSendDays, parseTimezone } from "../base/schedule-values.ts";
import { parseAddresses, parseMailbox, parseRelay } from "./mail.ts";
import type { Reader } from "./readers.ts";
import * as read from "./readers.ts";

/** A row of the table in docs/settings.md. */
interface Note {
  description: string;
  shownDefault: string;
}

export const notes = z.registry<Note>();

const postgres = read.serverUrl(["postgres:", "postgresql:"], "postgres://user:password@host:5432/name");
const redis = read.serverUrl(["redis:", "rediss:"], "redis://host:6379");

/**
 * All settings by the name of their environment variable, in the order of docs/settings.md. Each field parses the text of
 * the variable, or undefined, and has its default as text and a one-line description.
 */
export const settings = z.object({
  DATABASE_URL: optional(
    postgres,
    "URL of the PostgreSQL database. If not set, Dayletter uses an embedded database in `DATA_DIR`.",
  ),
  REDIS_URL: optional(redis, "URL of Redis for the queue. If not set, the queue is in the database."),
  DATA_DIR: setting(read.text, "./data", "Folder for keys, tokens, the embedded database and the outbox."),
  SMTP_URL: optional(
    parseRelay,
    "URL of the mail relay: `smtp://` (port 587, STARTTLS required unless the relay is on this machine) or `smtps://` (port 465). " +
      "If not set, emails are written to `DATA_DIR/outbox`.",
  ),
  SMTP_CONNECTIONS: setting(
    read.wholeNumber(1, 500),
    "10",
    "Maximum number of simultaneous connections to the relay, 1 to 500.",
  ),
  SMTP_RATE: optional(
    read.rate(100_000),
    "Maximum number of emails sent to the relay per second. If not set, there is no limit.",
  ),
  SMTP_ALLOW_CLEARTEXT: setting(
    read.flag,
    "0",
    "`1` allows a relay on another machine without TLS. A password is never sent without TLS.",
  ),
  PUBLIC_URL: optional(
    read.siteUrl,
    "Public URL of the web pages. Links in emails start with it. Required if the relay is on another machine.",
    "http://localhost:PORT",
  ),
  HOST: setting(
    read.hostName,
    "127.0.0.1",
    "IP address or host name to listen on. `0.0.0.0` listens on all IPv4 addresses.",
  ),
  PORT: setting(read.wholeNumber(0, 65_535), "3000", "Port to listen on. `0` chooses a free port."),
  TRUST_PROXY: setting(
    read.trustedProxies,
    "0",
    "Proxies whose X-Forwarded-* headers are trusted: `0` for none, `1` for a single proxy directly in front of this server, or the IP addresses or networks of your proxies.",
  ),
  HSTS_SUBDOMAINS: setting(
    read.flag,
    "0",
    "`1` makes browsers use HTTPS for all subdomains of `PUBLIC_URL` too (`includeSubDomains`). Set it only if all of them support HTTPS.",
  ),
  SECRET: optional(
    read.secret(32),
    "Key that signs all links and sessions, at least 32 characters. Required with `DATABASE_URL`. If not set, it is generated in `DATA_DIR`.",
  ),
  MAIL_FROM: optional(
    parseMailbox,
    "Sender of all emails. Required if the relay is on another machine.",
    '"PUBLICATION_NAME" <alerts@localhost>',
  ),
  PUBLICATION_NAME: setting(read.line, "Dayletter", "Name of the publication."),
  PUBLICATION_LOGO: optional(
    read.line,
    "Logo file: SVG, PNG, JPEG or WebP, up to 200 kB. The path is absolute or relative to `DATA_DIR`. Emails only show PNG and JPEG logos.",
  ),
  POSTAL_ADDRESS: optional(
    read.text,
    "Postal address in the footer of all emails. Required if the relay is on another machine.",
  ),
  LANGUAGE: setting(
    read.languageTag,
    "en",
    "Language of the publication, as a BCP 47 tag. Emails and readers’ pages are available in English (`en`), German (`de`) and Korean (`ko`).",
  ),
  ACCENT_COLOUR: setting(read.hexColour, "#8a1c1c", "Colour of links and buttons in emails and on pages."),
  TIMEZONE: setting(parseTimezone, "UTC", "IANA time zone of the schedule and of all dates."),
  SEND_AT: setting(parseSendAt, "07:00", "Local time at which editions are sent."),
  SEND_DAYS: setting(
    parseSendDays,
    "mon-sun",
    "Days on which editions are sent, for example `mon-fri` or `mon,wed,fri`.",
  ),
  SOURCES: setting(read.feedUrls, "", "Feed URLs, separated by commas."),
  ALLOW_PRIVATE_SOURCES: setting(read.flag, "0", "`1` allows feeds on private and loopback addresses."),
  MAX_ARTICLES: setting(read.wholeNumber(1, 100), "25", "Maximum number of articles in an email, 1 to 100."),
  CATCH_UP_HOURS: setting(
    read.wholeNumber(1, 168),
    "12",
    "How many hours late an edition may still be sent after an outage, 1 to 168. After that, it is recorded as missed.",
  ),
  EXPIRE_HOURS: setting(read.wholeNumber(1, 168), "24", "How many hours a deferred delivery is retried, 1 to 168."),
  UNKNOWN_POLICY: setting(
    read.choice(["hold", "resend"]),
    "hold",
    "What happens to deliveries without a reply from the relay: `hold` leaves the decision to an operator, `resend` sends them again, and readers may get a second copy.",
  ),
  APPROVAL: setting(
    read.choice(["off", "hold", "send"]),
    "off",
    "Whether scheduled editions need an editor's approval: `off` sends them without approval, `hold` waits until they are approved, `send` sends them at the deadline even without approval.",
  ),
  APPROVAL_MINUTES: setting(
    read.wholeNumber(1, 1440),
    "60",
    "Minutes from the freeze of an edition to the approval deadline, 1 to 1440.",
  ),
  GATE: setting(
    read.choice(["on", "off"]),
    "on",
    "`on` runs the pre-send checks. They hold a scheduled edition for an editor if its size or number of readers is unusual, a source has no new articles, or a link is broken.",
  ),
  CHECK_LINKS: setting(
    read.flag,
    "1",
    "`1` makes the pre-send checks request the pages that articles link to, and hold an edition with a broken link.",
  ),
  ALERT_MAIL: setting(parseAddresses, "", "Email addresses that get alerts, separated by commas."),
  ALERT_WEBHOOK: optional(
    read.callUrl,
    "URL that gets alerts as POST requests with JSON, signed according to Standard Webhooks.",
  ),
  ALERT_WEBHOOK_SECRET: optional(
    read.secret(32),
    "Key for the webhook signatures, at least 32 characters. Required with `ALERT_WEBHOOK`.",
  ),
  ALERT_NOT_SENT: setting(
    read.wholeNumber(1, 100),
    "5",
    "Raise an alert for a finished edition if more than this percentage of its readers didn't get it, 1 to 100.",
  ),
  SLICE_SIZE: setting(read.wholeNumber(10, 10_000), "500", "Number of deliveries in one queue job, 10 to 10000."),
  LOG_LEVEL: setting(
    read.choice(["fatal", "error", "warn", "info", "debug", "trace", "silent"]),
    "info",
    "Log level: `fatal`, `error`, `warn`, `info`, `debug`, `trace` or `silent`.",
  ),
  TRACES: setting(read.flag, "0", "`1` creates OpenTelemetry spans for each edition. You need to preload an SDK."),
  REQUIRE_ONE_TIME_CODES: setting(
    read.flag,
    "0",
    "`1` requires one-time codes for all operators. Until operators turn them on, they can do nothing else.",
  ),
  DAYLETTER_TOKEN: optional(
    read.secret(32),
    "API token of an owner, at least 32 characters. The server accepts it as long as it is set. The command line sends it.",
  ),
  DAYLETTER_URL: optional(
    read.siteUrl,
    "URL of the server that the command line connects to. If not set, it uses the server on this machine.",
  ),
  DAYLETTER_COMMAND: optional(
    read.line,
    "How to run the command line, for texts that contain a command, for example `docker compose exec web dayletter`. " +
      "If not set: `npx dayletter` in a clone, otherwise `dayletter`.",
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

/** A setting that always has a value. `fallback` is parsed like the text of the variable. */
function setting<T>(reader: Reader<T>, fallback: string, does: string) {
  return z
    .string()
    .optional()
    .transform((raw, context) => run(reader, raw ?? fallback, context))
    .register(notes, { description: does, shownDefault: fallback });
}

/** A setting that is null if not set. `shownDefault` is shown in the table if the default is computed elsewhere. */
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
