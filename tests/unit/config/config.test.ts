import fc from "fast-check";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import {
  commandName,
  loadConfig,
  loadHere,
  savedSettings,
  settingsSource,
  type Config,
} from "../../../src/config/load.ts";
import { packageRoot } from "../../../src/package-root.ts";
import { ConfigError } from "../../../src/config/problems.ts";
import { sayProblem } from "../../../src/texts/problems.ts";
import { settingNames, type SettingProblem } from "../../../src/config/settings.ts";
import type { ErrorCode, MessageValues } from "../../../src/texts/catalogue.ts";
import { textOf } from "../../support/text.ts";

const secret = "0123456789abcdef0123456789abcdef";
/** What a relay on another machine asks for besides its URL. */
const mailing = {
  MAIL_FROM: '"Telecom Daily" <alerts@example.com>',
  POSTAL_ADDRESS: "1 Main Street, Springfield",
  PUBLIC_URL: "https://alerts.example.com/",
};

function problemsOf(env: Record<string, string>): readonly SettingProblem[] {
  try {
    loadConfig(env);
    return [];
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
}

describe("loadConfig", () => {
  it("needs no setting at all", () => {
    expect(loadConfig({})).toMatchObject({
      smtp: null,
      publicUrl: "http://localhost:3000",
      secret: null,
      mailFrom: { name: "Dayletter", address: "alerts@localhost" },
      logo: null,
      alertWebhook: null,
      embedded: { records: true, queue: "embedded", mail: true },
    } satisfies Partial<Config>);
  });

  it("has one property for each setting that is not combined with others", () => {
    const config = loadConfig({});
    expect(config).toMatchObject({
      dataDir: resolve("data"),
      port: 3000,
      trustProxy: false,
      hstsSubdomains: false,
      sendDays: [1, 2, 3, 4, 5, 6, 7],
      alertMail: [],
      smtpRate: null,
      bootstrapToken: null,
      serverUrl: null,
    } satisfies Partial<Config>);
    const combined = [
      "SMTP_ALLOW_CLEARTEXT",
      "DKIM_SELECTOR",
      "DKIM_KEY_FILE",
      "ALERT_WEBHOOK_SECRET",
      "DAYLETTER_COMMAND",
    ];
    expect(Object.keys(config)).toHaveLength(
      settingNames.length - combined.length + ["embedded", "postalAddressMissing"].length,
    );
  });

  it("takes what a production machine sets", () => {
    const config = loadConfig({
      ...mailing,
      DATABASE_URL: "postgres://dayletter:pw@db/dayletter",
      REDIS_URL: "redis://redis:6379",
      SMTP_URL: "smtps://us%40er:p%2Fw@relay.example.com",
      SECRET: secret,
      HOST: "0.0.0.0",
      TRUST_PROXY: "10.0.0.0/8, ::1",
      LANGUAGE: "de_CH",
      TIMEZONE: "europe/berlin",
      SEND_AT: "6:30",
      SEND_DAYS: "sat-mon",
      SOURCES: "https://example.com/a, https://example.com/b,https://example.com/a",
      SMTP_RATE: "0.5",
      ACCENT_COLOUR: "#ABC",
      ALLOW_PRIVATE_SOURCES: "1",
      UNKNOWN_POLICY: "resend",
      DAYLETTER_TOKEN: secret,
    });
    expect(config).toMatchObject({
      databaseUrl: "postgres://dayletter:pw@db/dayletter",
      smtp: { host: "relay.example.com", port: 465, secure: true, user: "us@er", password: "p/w", requireTls: true },
      smtpRate: 0.5,
      publicUrl: "https://alerts.example.com",
      mailFrom: { name: "Telecom Daily", address: "alerts@example.com" },
      trustProxy: ["10.0.0.0/8", "::1"],
      language: "de-CH",
      timezone: "Europe/Berlin",
      sendAt: "06:30",
      sendDays: [1, 6, 7],
      sources: ["https://example.com/a", "https://example.com/b"],
      accentColour: "#aabbcc",
      allowPrivateSources: true,
      unknownPolicy: "resend",
      bootstrapToken: secret,
      embedded: { records: false, queue: "redis", mail: false },
    });
  });

  it("counts a blank as unset and trims the rest", () => {
    expect(loadConfig({ DATABASE_URL: "", SMTP_URL: "  ", PORT: "\t", SOURCES: "" })).toEqual(loadConfig({}));
    expect(loadConfig({ PORT: " 80 ", PUBLICATION_NAME: " News " })).toMatchObject({
      port: 80,
      publicationName: "News",
    });
  });

  it.each([
    ["neither", {}, "embedded"],
    ["DATABASE_URL", { DATABASE_URL: "postgresql://db/x", SECRET: secret }, "postgres"],
    ["REDIS_URL", { REDIS_URL: "rediss://:pw@redis" }, "redis"],
    ["both", { DATABASE_URL: "postgresql://db/x", SECRET: secret, REDIS_URL: "redis://redis" }, "redis"],
  ])("with %s the queue follows", (_which, env, queue) => {
    expect(loadConfig(env).embedded).toMatchObject({ records: !("DATABASE_URL" in env), queue });
  });

  // [SMTP_URL, more settings, is TLS demanded, port]
  it.each([
    ["smtp://relay.example.com", {}, true, 587],
    ["smtp://relay.example.com:25", {}, true, 25],
    ["smtp://relay.example.com", { SMTP_ALLOW_CLEARTEXT: "1" }, false, 587],
    ["smtp://192.0.2.7", {}, true, 587],
    ["smtp://localhost.example.com", {}, true, 587],
    ["smtp://localhost", {}, false, 587],
    ["SMTP://LOCALHOST:1025/", {}, false, 1025],
    ["smtp://mail.localhost", {}, false, 587],
    ["smtp://127.3.2.1:2525", {}, false, 2525],
    ["smtp://[::1]:2525", {}, false, 2525],
    ["smtp://[2001:db8::1]", {}, true, 587],
    ["smtps://relay.example.com", {}, true, 465],
  ])("%s %j demands TLS: %s", (url, more, requireTls, port) => {
    expect(loadConfig({ ...mailing, ...more, SMTP_URL: url }).smtp).toMatchObject({ requireTls, port });
  });

  it("takes port 0, and a relay on this machine without a sender", () => {
    expect(loadConfig({ PORT: "0", SMTP_URL: "smtp://127.0.0.1:1025" })).toMatchObject({ port: 0 });
  });

  it.each([
    ["en_US:en", "en-US"],
    ["de_DE.UTF-8", "de-DE"],
    ["C.UTF-8", "en"],
    [":ko", "ko"],
    ["klingon:fr", "fr"],
    ["sr_RS@latin", "sr-RS"],
    ["zh-hant-tw", "zh-Hant-TW"],
  ])("reads LANGUAGE=%s as %s", (raw, language) => {
    expect(loadConfig({ LANGUAGE: raw }).language).toBe(language);
  });

  it.each([
    ["alerts@example.com", null, "alerts@example.com"],
    ["News <a@example.com>", "News", "a@example.com"],
    ['"Say \\"hi\\", Co." <a@Example.COM>', 'Say "hi", Co.', "a@example.com"],
    ["Zeitung <a@bücher.example>", "Zeitung", "a@xn--bcher-kva.example"],
    ["<a@example.com>", null, "a@example.com"],
  ])("reads MAIL_FROM=%s", (raw, name, address) => {
    expect(loadConfig({ MAIL_FROM: raw, PUBLICATION_NAME: "P" }).mailFrom).toEqual({ name: name ?? "P", address });
  });

  it.each([
    [
      "imaps://bounces%40example.com:p%2Fw@imap.example.com",
      {
        host: "imap.example.com",
        port: 993,
        tls: "implicit",
        user: "bounces@example.com",
        password: "p/w",
        folder: "INBOX",
      },
    ],
    ["imap://u:p@mail.example.com:1143/Mail/Bounces%20in", { port: 1143, tls: "starttls", folder: "Mail/Bounces in" }],
    ["imap://u:p@[::1]/", { host: "::1", port: 143, tls: "none", folder: "INBOX" }],
  ])("reads BOUNCE_IMAP=%s", (raw, mailbox) => {
    const env = { BOUNCE_ADDRESS: "bounce@example.com", BOUNCE_IMAP: raw };
    expect(loadConfig(env).bounceImap).toMatchObject(mailbox);
  });

  it.each(["BOUNCE_LISTEN", "BOUNCE_IMAP"])("asks for BOUNCE_ADDRESS beside %s", (setting) => {
    const value = setting === "BOUNCE_IMAP" ? "imap://u:p@localhost" : "0.0.0.0:2525";
    const problem = { name: "BOUNCE_ADDRESS", code: "bounce_address_missing", data: { setting } };
    expect(problemsOf({ [setting]: value })).toEqual([problem]);
  });

  it("connects to an IDN relay by its ASCII name", () => {
    expect(loadConfig({ ...mailing, SMTP_URL: "smtp://bücher.example" }).smtp?.host).toBe("xn--bcher-kva.example");
  });

  it("names everything that is wrong at once", () => {
    const problems = problemsOf({
      PORT: "70000",
      TIMEZONE: "Berlin",
      DATABASE_URL: "mysql://db",
      SMTP_URL: "smtp://relay.example.com",
      SEND_ATT: "07:00",
    });
    const named = problems.map(({ name }) => name);
    const needed = ["SECRET", "PUBLIC_URL", "MAIL_FROM", "POSTAL_ADDRESS"];
    expect(named).toEqual(["DATABASE_URL", "PORT", "TIMEZONE", ...needed, "SEND_ATT"]);
  });

  // [setting, value, code, values of its sentence besides the value]
  it.each<[string, string, ErrorCode, MessageValues?]>([
    ["PORT", "65536", "whole_number_invalid", { min: 0, max: 65_535 }],
    ["PORT", "3e3", "whole_number_invalid", { min: 0, max: 65_535 }],
    ["HOST", "http://0.0.0.0", "host_invalid"],
    ["HOST", "0.0.0.0:3000", "host_invalid"],
    ["TRUST_PROXY", "yes", "proxies_invalid"],
    ["TRUST_PROXY", "0.0.0.0/0", "proxies_invalid"],
    ["TRUST_PROXY", "10.0.0.0/33", "proxies_invalid"],
    [
      "DATABASE_URL",
      "sqlite:x",
      "server_url_invalid",
      { value: "sqlite", example: "postgres://user:password@host:5432/name" },
    ],
    ["REDIS_URL", "http://redis", "server_url_invalid", { example: "redis://host:6379" }],
    ["SMTP_URL", "relay.example.com", "relay_url_invalid"],
    ["SMTP_URL", "smtp://", "relay_url_invalid"],
    ["SMTP_URL", "smtp://relay/path", "relay_url_invalid", { value: "smtp://relay" }],
    ["SMTP_URL", "smtp://relay:0", "relay_url_invalid", { value: "smtp://relay" }],
    ["SMTP_URL", "smtp://relay?secure=1", "relay_url_options"],
    ["SMTP_URL", "smtp://user@relay", "relay_password_missing"],
    ["SMTP_URL", "smtp://:password@relay", "relay_user_missing"],
    ["SMTP_RATE", "0", "number_invalid", { max: 100_000 }],
    ["SMTP_ALLOW_CLEARTEXT", "yes", "flag_invalid"],
    ["SECRET", "short", "secret_too_short", { n: 5, least: 32 }],
    ["SECRET", `${secret} `.repeat(2), "secret_has_space"],
    ["MAIL_FROM", "Telecom Daily", "address_invalid", { address: "Telecom Daily" }],
    ["MAIL_FROM", "Telecom <alerts>", "address_invalid", { address: "alerts" }],
    ["MAIL_FROM", "Telecom <a@example.com", "sender_invalid"],
    ["BOUNCE_LISTEN", "2525", "listen_address_invalid"],
    ["BOUNCE_LISTEN", "0.0.0.0:70000", "listen_address_invalid"],
    ["BOUNCE_LISTEN", ":::25", "listen_address_invalid"],
    ["BOUNCE_LISTEN", "smtp://0.0.0.0:2525", "listen_address_invalid"],
    ["BOUNCE_LISTEN", "lmtp://127.0.0.1", "listen_address_invalid"],
    ["BOUNCE_IMAP", "imap.example.com", "imap_url_invalid", { value: "imap.example.com" }],
    ["BOUNCE_IMAP", "imaps://imap.example.com/INBOX", "imap_url_invalid", { value: "imaps://imap.example.com" }],
    ["BOUNCE_IMAP", "imaps://user@imap.example.com", "imap_url_invalid", { value: "imaps://***@imap.example.com" }],
    [
      "BOUNCE_IMAP",
      "pop3s://user:password@pop.example.com",
      "imap_url_invalid",
      { value: "pop3s://***@pop.example.com" },
    ],
    [
      "BOUNCE_IMAP",
      "imaps://user:password@imap.example.com/?tls=no",
      "imap_url_invalid",
      { value: "imaps://***@imap.example.com/" },
    ],
    [
      "BOUNCE_IMAP",
      "imaps://user:password@imap.example.com/IN%0aBOX",
      "imap_url_invalid",
      { value: "imaps://***@imap.example.com/IN%0aBOX" },
    ],
    ["HOOK_SES_TOPIC", "bounces", "sns_topic_invalid", { value: "bounces" }],
    ["HOOK_SES_TOPIC", "arn:aws:sqs:eu-central-1:123456789012:bounces", "sns_topic_invalid"],
    ["HOOK_SES_TOPIC", "arn:aws:sns:evil.example/:123456789012:bounces", "sns_topic_invalid"],
    ["HOOK_SENDGRID_KEY", "SG.an-api-key-by-mistake", "sendgrid_key_invalid", {}],
    ["HOOK_MAILGUN_KEY", "short", "secret_too_short", { n: 5, least: 16 }],
    ["HOOK_POSTMARK_PASSWORD", "short", "secret_too_short", { n: 5, least: 32 }],
    ["BOUNCE_ADDRESS", "bounces", "address_invalid", { address: "bounces" }],
    ["BOUNCE_ADDRESS", `${"b".repeat(24)}@example.com`, "bounce_address_long", { most: 23 }],
    ["MAIL_FROM", "News\r\nBcc: x <a@example.com>", "line_invalid", { value: "News\\r\\nBcc: x <a@example.com>" }],
    ["PUBLICATION_NAME", "News\nBcc: x", "line_invalid", { value: "News\\nBcc: x" }],
    ["PUBLIC_URL", "alerts.example.com", "site_url_invalid"],
    ["PUBLIC_URL", "https:/alerts.example.com", "site_url_invalid", { value: "https" }],
    ["LANGUAGE", "klingon", "language_invalid"],
    ["TIMEZONE", "+02:00", "timezone_invalid", { zone: "+02:00" }],
    ["SEND_AT", "24:00", "time_invalid"],
    ["SEND_DAYS", "mon-frei", "days_invalid"],
    [
      "SOURCES",
      "https://a.example/x, ftp://b.example,c",
      "feed_urls_invalid",
      { value: '"ftp://b.example", "c"', n: 2 },
    ],
    ["ACCENT_COLOUR", "red", "colour_invalid"],
    ["PRIVACY_URL", "example.com/privacy", "page_url_invalid", { value: "example.com" }],
    ["IMPRINT_URL", "javascript:alert(1)", "page_url_invalid", { value: "javascript" }],
    ["UNKNOWN_POLICY", "drop", "choice_invalid", { choices: "hold, resend" }],
    ["MAX_ARTICLES", "0", "whole_number_invalid", { min: 1, max: 100 }],
    ["DAYLETTER_URL", "localhost:3000", "site_url_invalid", { value: "localhost" }],
  ])("%s=%j: %s", (name, value, code, values) => {
    const problems = problemsOf({ [name]: value }).filter((problem) => problem.name === name);
    expect(problems.map((problem) => [problem.code, sayProblem(problem)])).toEqual([
      [code, `${name}: ${textOf(`error.${code}`, { value, ...values })}`],
    ]);
  });

  it.each([
    ["SMTP_URL", "smtp://u:hunter2@relay?x=1"],
    ["SMTP_URL", "smtp://u:hunter2/x@relay"],
    ["SMTP_URL", "smtp://u:hunter2"],
    ["SMTP_URL", "smtp://:hunter2@relay"],
    ["SMTP_URL", "relay?password=a@hunter2"],
    ["DATABASE_URL", "postgre://u:hunter2@db/x"],
    ["DATABASE_URL", "postgre://db/x?user=u&password=hunter2"],
    ["DATABASE_URL", "postgre://db/x?password=a@hunter2"],
    ["REDIS_URL", "reds://:hunter2@redis"],
    ["SOURCES", "ftp://u:hunter2@feeds.example"],
    ["PUBLIC_URL", "https://u:hunter2@site.example"],
    ["BOUNCE_IMAP", "imaps://user:hunter2@imap.example.com/?x"],
    ["SECRET", "hunter2"],
    ["DAYLETTER_TOKEN", "hunter2"],
    ["SMTP_PASSWORD", "hunter2"],
  ])("never shows what is secret in %s=%s", (name, value) => {
    const problems = problemsOf({ [name]: value });
    expect(problems).not.toEqual([]);
    expect(`${JSON.stringify(problems)} ${new ConfigError(problems).message}`).not.toContain("hunter2");
  });

  it("never shows a password, whatever surrounds it", () => {
    const junk = fc.string({ maxLength: 8, unit: fc.constantFrom(..."ab1:/?#@% ") });
    fc.assert(
      fc.property(fc.constantFrom("smtp://", "smtq://", "postgres://", "imaps://", ""), junk, junk, (scheme, a, b) => {
        const url = `${scheme}user:${a}HUNTER2${b}@relay`;
        expect(
          JSON.stringify(problemsOf({ SMTP_URL: url, DATABASE_URL: url, REDIS_URL: url, BOUNCE_IMAP: url })),
        ).not.toContain("HUNTER2");
      }),
    );
  });

  // [variable, value, the problem, or null when it is nobody's business]
  it.each<[string, string, Omit<SettingProblem, "name"> | null]>([
    ["SMTP_ULR", "x", { code: "setting_misspelt", data: { near: "SMTP_URL" } }],
    ["SMTP_CONECTIONS", "5", { code: "setting_misspelt", data: { near: "SMTP_CONNECTIONS" } }],
    ["TIME_ZONE", "UTC", { code: "setting_misspelt", data: { near: "TIMEZONE" } }],
    ["SEND_DAY", "mon", { code: "setting_misspelt", data: { near: "SEND_DAYS" } }],
    ["MAIL_FORM", "x", { code: "setting_misspelt", data: { near: "MAIL_FROM" } }],
    [
      "SMTP_HOST",
      "relay",
      {
        code: "setting_unknown_prefix",
        data: { prefix: "SMTP_", names: "SMTP_URL, SMTP_CONNECTIONS, SMTP_RATE, SMTP_ALLOW_CLEARTEXT" },
      },
    ],
    [
      "DAYLETTER_PORT",
      "3000",
      {
        code: "setting_unknown_prefix",
        data: { prefix: "DAYLETTER_", names: "DAYLETTER_TOKEN, DAYLETTER_URL, DAYLETTER_COMMAND" },
      },
    ],
    [
      "DKIM_PRIVATE_PEM",
      "x",
      { code: "setting_unknown_prefix", data: { prefix: "DKIM_", names: "DKIM_DOMAIN, DKIM_SELECTOR, DKIM_KEY_FILE" } },
    ],
    ["SMTP_PORT", "tcp://10.0.0.7:25", null],
    ["SMTP_SERVICE_HOST", "10.0.0.7", null],
    ["DAYLETTER_PORT_3000_TCP_ADDR", "10.0.0.7", null],
    ["SMTP_HOST", "", null],
    ["HOSTNAME", "box", null],
    ["TZ", "UTC", null],
    ["LANG", "en_US.UTF-8", null],
    ["NODE_ENV", "production", null],
  ])("%s=%s is noticed if it was meant for us", (name, value, problem) => {
    expect(problemsOf({ [name]: value })).toEqual(problem === null ? [] : [{ name, ...problem }]);
  });

  it("names the setting in every sentence once", () => {
    const message = (problem: SettingProblem): string => sayProblem(problem);
    expect(message({ name: "PORT", code: "flag_invalid", data: { value: "x" } })).toBe(
      `PORT: ${textOf("error.flag_invalid", { value: "x" })}`,
    );
    expect(message({ name: "SECRET", code: "secret_missing", data: {} })).toBe(
      textOf("error.secret_missing", { name: "SECRET" }),
    );
  });

  it("reads the environment of the process by default", () => {
    vi.stubEnv("PORT", "seven");
    expect(() => loadConfig()).toThrow(
      expect.objectContaining({ problems: [expect.objectContaining({ name: "PORT", code: "whole_number_invalid" })] }),
    );
    vi.unstubAllEnvs();
  });
});

describe("NAME_FILE", () => {
  let folder: string;
  beforeAll(() => (folder = mkdtempSync(join(tmpdir(), "dayletter-files-"))));
  afterAll(() => rmSync(folder, { recursive: true }));
  const file = (name: string, content: string): string => {
    writeFileSync(join(folder, name), content);
    return join(folder, name);
  };

  it("reads every secret from a file, and drops the line end", () => {
    const config = loadConfig({
      ...mailing,
      SECRET_FILE: file("secret", `${secret}\n`),
      DATABASE_URL_FILE: file("database", "postgres://u:p@db/x\r\n"),
      REDIS_URL_FILE: file("redis", "redis://redis:6379\n"),
      SMTP_URL_FILE: file("smtp", "smtp://u:p@relay.example.com\n"),
      ALERT_WEBHOOK_FILE: file("hook", "https://example.com/hook\n"),
      ALERT_WEBHOOK_SECRET_FILE: file("hook-secret", `${secret}\n`),
      DAYLETTER_TOKEN_FILE: file("token", secret),
    });
    expect(config).toMatchObject({
      secret,
      databaseUrl: "postgres://u:p@db/x",
      redisUrl: "redis://redis:6379",
      smtp: { host: "relay.example.com", password: "p" },
      alertWebhook: { url: "https://example.com/hook", secret },
      bootstrapToken: secret,
    });
  });

  it("refuses a setting that is given twice, and a file that is empty or cannot be read, all at once", () => {
    const problems = problemsOf({
      SECRET: secret,
      SECRET_FILE: file("twice", secret),
      REDIS_URL_FILE: file("empty", " \n"),
      SMTP_URL_FILE: join(folder, "none"),
      DATABASE_URL_FILE: folder,
    });
    expect(problems).toEqual([
      { name: "DATABASE_URL_FILE", code: "secret_file_unreadable", data: { path: folder, reason: "EISDIR" } },
      {
        name: "REDIS_URL_FILE",
        code: "secret_file_empty",
        data: { setting: "REDIS_URL", path: join(folder, "empty") },
      },
      { name: "SMTP_URL_FILE", code: "secret_file_unreadable", data: { path: join(folder, "none"), reason: "ENOENT" } },
      { name: "SECRET", code: "secret_given_twice", data: { fileName: "SECRET_FILE" } },
    ]);
    expect(JSON.stringify(problems)).not.toContain(secret);
  });

  it("says what is wrong with the value, by the name of the setting and without the value", () => {
    const problems = problemsOf({ SECRET_FILE: file("short", "hunter2\n") });
    expect(problems).toEqual([{ name: "SECRET", code: "secret_too_short", data: { n: 7, least: 32 } }]);
  });

  it.each<[string, ErrorCode, Record<string, unknown>]>([
    ["MAIL_FROM_FILE", "setting_not_from_file", { names: expect.stringMatching(/^DATABASE_URL_FILE, REDIS_URL_FILE/) }],
    ["SERCET_FILE", "setting_misspelt", { near: "SECRET_FILE" }],
    ["SMTP_URL_FIEL", "setting_misspelt", { near: "SMTP_URL_FILE" }],
  ])("does not ignore %s", (name, code, data) => {
    expect(problemsOf({ [name]: "/run/secrets/x" })).toEqual([{ name, code, data }]);
  });

  it("counts as the environment beside settings.env: it wins and cannot be changed on a page", () => {
    const DATA_DIR = join(folder, "data");
    mkdirSync(DATA_DIR);
    writeFileSync(join(DATA_DIR, "settings.env"), "SMTP_URL=smtp://localhost:2500\nPUBLICATION_NAME=Ours\n");
    const env = { DATA_DIR, SMTP_URL_FILE: file("local", "smtp://localhost:2525\n") };
    const config = loadHere(env);
    expect(config).toMatchObject({ publicationName: "Ours", smtp: { port: 2525 } });
    expect(savedSettings(config, settingsSource(env)).fixed("SMTP_URL")).toBe("set");
    const wrong = { ...env, SMTP_URL_FILE: join(folder, "none") };
    expect(() => loadHere(wrong)).toThrow("SMTP_URL_FILE secret_file_unreadable");
  });

  it("has no place in settings.env", () => {
    const DATA_DIR = join(folder, "own");
    mkdirSync(DATA_DIR);
    writeFileSync(join(DATA_DIR, "settings.env"), `SECRET_FILE=${folder}/secret\n`);
    expect(() => loadHere({ DATA_DIR })).toThrow("SECRET_FILE settings_name_fixed");
  });
});

describe("beside a database that has settings too", () => {
  const env = {
    DATABASE_URL: "postgres://localhost/x",
    SECRET: "k".repeat(32),
    SMTP_URL: "smtp://relay.example.com",
    PUBLIC_URL: "https://alerts.example.com",
    MAIL_FROM: "alerts@example.com",
  };

  it("the postal address may be missing at the start, and then nothing is sent", () => {
    expect(loadHere(env)).toMatchObject({ postalAddress: null, postalAddressMissing: true });
    expect(loadHere({ ...env, POSTAL_ADDRESS: "1 Main Street" }).postalAddressMissing).toBe(false);
    expect(loadHere({ ...env, SMTP_URL: "smtp://localhost" }).postalAddressMissing).toBe(false);
    expect(() => loadHere({ ...env, MAIL_FROM: "" })).toThrow("MAIL_FROM sender_missing");
  });

  it("the environment overrides what is saved, a logo too", () => {
    const logo = readFileSync(join(packageRoot, "tests/fixtures/logo.png"));
    const saved = { PUBLICATION_NAME: "Saved", MAX_ARTICLES: "7", PUBLICATION_LOGO: "logo.x.png", POSTAL_ADDRESS: "1" };
    const { combine } = settingsSource({ ...env, PUBLICATION_NAME: "Ours" });
    expect(combine(saved, { logo })).toMatchObject({
      publicationName: "Ours",
      maxArticles: 7,
      logo: { content: logo },
    });
    const own = join(packageRoot, "tests/fixtures/logo.png");
    expect(settingsSource({ ...env, PUBLICATION_LOGO: own }).combine(saved).logo).toMatchObject({ type: "image/png" });
    expect(() => combine({ MAX_ARTICLES: "7" })).toThrow("POSTAL_ADDRESS postal_address_missing");
  });
});

describe("commandName", () => {
  let folder: string;
  beforeAll(() => (folder = mkdtempSync(join(tmpdir(), "dayletter-command-"))));
  afterAll(() => rmSync(folder, { recursive: true }));
  const place = (path: string, ...files: string[]): string => {
    mkdirSync(join(folder, path), { recursive: true });
    for (const file of files) writeFileSync(join(folder, path, file), "{}");
    return join(folder, path);
  };

  it("is what works where the texts are read", () => {
    expect(commandName({}, place("clone", "package.json", "tsconfig.json"))).toBe("npx dayletter");
    place("project", "package.json");
    expect(commandName({}, place("project/node_modules/dayletter", "package.json"))).toBe("npx dayletter");
    expect(commandName({}, place("lib/node_modules/dayletter", "package.json"))).toBe("dayletter");
    expect(commandName({}, place("app", "package.json"))).toBe("dayletter");
    const DAYLETTER_COMMAND = " docker compose exec web dayletter ";
    expect(commandName({ DAYLETTER_COMMAND }, join(folder, "clone"))).toBe("docker compose exec web dayletter");
  });
});
