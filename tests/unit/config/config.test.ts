import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { commandName, ConfigError, loadConfig, loadHere, ownSettings, type Config } from "../../../src/config/load.ts";
import type { ErrorCode, MessageValues } from "../../../src/wording/catalogue.ts";
import { textOf } from "../../support/text.ts";

const secret = "0123456789abcdef0123456789abcdef";
/** What a relay on another machine asks for besides its URL. */
const mailing = {
  MAIL_FROM: '"Telecom Daily" <alerts@example.com>',
  POSTAL_ADDRESS: "1 Main Street, Springfield",
  PUBLIC_URL: "https://alerts.example.com/",
};

function problemsOf(env: Record<string, string>): string[] {
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
    expect(loadConfig({})).toEqual({
      databaseUrl: null,
      redisUrl: null,
      dataDir: resolve("data"),
      smtp: null,
      smtpRate: null,
      smtpConnections: 10,
      publicUrl: "http://localhost:3000",
      host: "127.0.0.1",
      port: 3000,
      trustProxy: false,
      hstsSubdomains: false,
      secret: null,
      mailFrom: { name: "Dayletter", address: "alerts@localhost" },
      publicationName: "Dayletter",
      logo: null,
      postalAddress: null,
      language: "en",
      accentColour: "#8a1c1c",
      timezone: "UTC",
      sendAt: "07:00",
      sendDays: [1, 2, 3, 4, 5, 6, 7],
      sources: [],
      allowPrivateSources: false,
      maxArticles: 25,
      catchUpHours: 12,
      expireHours: 24,
      approval: "off",
      approvalMinutes: 60,
      gate: "on",
      checkLinks: true,
      unknownPolicy: "hold",
      alertMail: [],
      alertWebhook: null,
      alertNotSent: 5,
      sliceSize: 500,
      logLevel: "info",
      traces: false,
      requireOneTimeCodes: false,
      bootstrapToken: null,
      serverUrl: null,
      embedded: { records: true, queue: "embedded", mail: true },
    } satisfies Config);
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
    const named = problems.map((problem) => problem.split(/:| is /)[0]);
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
    ["UNKNOWN_POLICY", "drop", "choice_invalid", { choices: "hold, resend" }],
    ["MAX_ARTICLES", "0", "whole_number_invalid", { min: 1, max: 100 }],
    ["DAYLETTER_URL", "localhost:3000", "site_url_invalid", { value: "localhost" }],
  ])("%s=%j: %s", (name, value, code, values) => {
    const problems = problemsOf({ [name]: value }).filter((problem) => problem.startsWith(`${name}: `));
    expect(problems).toEqual([`${name}: ${textOf(`error.${code}`, { value, ...values })}`]);
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
    ["SECRET", "hunter2"],
    ["DAYLETTER_TOKEN", "hunter2"],
    ["SMTP_PASSWORD", "hunter2"],
  ])("never shows what is secret in %s=%s", (name, value) => {
    const problems = problemsOf({ [name]: value });
    expect(problems).not.toEqual([]);
    expect(problems.join("\n")).not.toContain("hunter2");
  });

  it("never shows a password, whatever surrounds it", () => {
    const junk = fc.string({ maxLength: 8, unit: fc.constantFrom(..."ab1:/?#@% ") });
    fc.assert(
      fc.property(fc.constantFrom("smtp://", "smtq://", "postgres://", ""), junk, junk, (scheme, a, b) => {
        const url = `${scheme}user:${a}HUNTER2${b}@relay`;
        expect(problemsOf({ SMTP_URL: url, DATABASE_URL: url, REDIS_URL: url }).join()).not.toContain("HUNTER2");
      }),
    );
  });

  // [variable, value, what is said of it, or null when it is nobody's business]
  it.each([
    ["SMTP_ULR", "x", ". Did you mean SMTP_URL?"],
    ["SMTP_CONECTIONS", "5", "Did you mean SMTP_CONNECTIONS?"],
    ["TIME_ZONE", "UTC", "Did you mean TIMEZONE?"],
    ["SEND_DAY", "mon", "Did you mean SEND_DAYS?"],
    ["MAIL_FORM", "x", "Did you mean MAIL_FROM?"],
    ["SMTP_HOST", "relay", "The settings that begin with SMTP_ are SMTP_URL, SMTP_CONNECTIONS"],
    ["DAYLETTER_PORT", "3000", "The settings that begin with DAYLETTER_ are"],
    ["DKIM_DOMAIN", "example.com", " of this version. Unset it."],
    ["SMTP_PORT", "tcp://10.0.0.7:25", null],
    ["SMTP_SERVICE_HOST", "10.0.0.7", null],
    ["DAYLETTER_PORT_3000_TCP_ADDR", "10.0.0.7", null],
    ["SMTP_HOST", "", null],
    ["HOSTNAME", "box", null],
    ["TZ", "UTC", null],
    ["LANG", "en_US.UTF-8", null],
    ["NODE_ENV", "production", null],
  ])("%s=%s is noticed if it was meant for us", (name, value, said) => {
    const problems = problemsOf({ [name]: value });
    const sentence = new RegExp(`^${name} is not a setting.*${said?.replace("?", "\\?")}`);
    expect(problems).toEqual(said === null ? [] : [expect.stringMatching(sentence)]);
  });

  it("reads the environment of the process by default", () => {
    vi.stubEnv("PORT", "seven");
    const values = { value: "seven", min: 0, max: 65_535 };
    expect(() => loadConfig()).toThrow(`PORT: ${textOf("error.whole_number_invalid", values)}`);
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
      expect.stringMatching(/^DATABASE_URL_FILE: .* \(EISDIR\)/),
      expect.stringMatching(/^REDIS_URL_FILE: .* is empty/),
      expect.stringMatching(/^SMTP_URL_FILE: .* \(ENOENT\)/),
      textOf("error.secret_given_twice", { name: "SECRET", fileName: "SECRET_FILE" }),
    ]);
    expect(problems.join()).not.toContain(secret);
  });

  it("says what is wrong with the value, by the name of the setting and without the value", () => {
    const problems = problemsOf({ SECRET_FILE: file("short", "hunter2\n") });
    expect(problems).toEqual([expect.stringMatching(/^SECRET: The secret has 7 characters/)]);
  });

  it.each([
    ["MAIL_FROM_FILE", "The settings that can be read from a file are DATABASE_URL_FILE, REDIS_URL_FILE"],
    ["SERCET_FILE", "Did you mean SECRET_FILE?"],
    ["SMTP_URL_FIEL", "Did you mean SMTP_URL_FILE?"],
  ])("does not ignore %s", (name, said) => {
    expect(problemsOf({ [name]: "/run/secrets/x" })).toEqual([expect.stringContaining(said)]);
  });

  it("counts as the environment beside settings.env: it wins and cannot be changed on a page", () => {
    const DATA_DIR = join(folder, "data");
    mkdirSync(DATA_DIR);
    writeFileSync(join(DATA_DIR, "settings.env"), "SMTP_URL=smtp://localhost:2500\nPUBLICATION_NAME=Ours\n");
    const env = { DATA_DIR, SMTP_URL_FILE: file("local", "smtp://localhost:2525\n") };
    const config = loadHere(env);
    expect(config).toMatchObject({ publicationName: "Ours", smtp: { port: 2525 } });
    expect(ownSettings(config, env).fixed).toContain("SMTP_URL");
    const wrong = { ...env, SMTP_URL_FILE: join(folder, "none") };
    expect(() => loadHere(wrong)).toThrow(/SMTP_URL_FILE: .* \(ENOENT\)/);
  });

  it("has no place in settings.env", () => {
    const DATA_DIR = join(folder, "own");
    mkdirSync(DATA_DIR);
    writeFileSync(join(DATA_DIR, "settings.env"), `SECRET_FILE=${folder}/secret\n`);
    expect(() => loadHere({ DATA_DIR })).toThrow(textOf("error.settings_name_fixed", { name: "SECRET_FILE" }));
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
