import { expect, it } from "vitest";
import { loadConfig } from "../../../src/config/load.ts";
import { notes, secretSettings, settingNames, settings } from "../../../src/config/schema.ts";
import { expectWritten } from "../../support/written-docs.ts";
import { textOf } from "../../support/text.ts";

const command = "UPDATE_DOCS=1 npx vitest run --project unit tests/unit/config/settings-doc.test.ts";
const example = {
  DATABASE_URL: "postgres://dayletter:password@db.example.com/dayletter",
  REDIS_URL: "redis://redis.example.com:6379",
  // Contains white space, so that nobody can use this public value.
  SECRET: "what openssl rand -hex 32 prints",
  SMTP_URL: "smtp://user:password@relay.example.com:587",
  PUBLIC_URL: "https://alerts.example.com",
  PUBLICATION_NAME: "Telecom Daily",
  MAIL_FROM: '"Telecom Daily" <alerts@example.com>',
  POSTAL_ADDRESS: "1 Main Street, Springfield",
  TIMEZONE: "Europe/Berlin",
  SOURCES: "https://news.example.com/feed.xml",
};

it(`docs/settings.md lists the settings as they are (${command})`, () => {
  const lines = Object.entries(example).map(([name, value]) => `    ${name}='${value}'`);
  expectWritten("docs/settings.md", { example: lines.join("\n"), settings: settingsTable() }, command);
});

it("the example works only with a real SECRET", () => {
  expect(loadConfig({ ...example, SECRET: "k".repeat(32) }).embedded).toEqual({
    records: false,
    queue: "redis",
    mail: false,
  });
  expect(() => loadConfig(example)).toThrow(`SECRET: ${textOf("error.secret_has_space")}`);
});

function settingsTable(): string {
  const rows = settingNames.map((name) => {
    const { description, shownDefault } = notes.get(settings.shape[name])!;
    const names = secretSettings.includes(name) ? `\`${name}\` or \`${name}_FILE\`` : `\`${name}\``;
    return `| ${names} | ${shownDefault && `\`${shownDefault}\``} | ${description} |`;
  });
  return ["| Setting | Default | What it does |", "| --- | --- | --- |", ...rows].join("\n");
}
