import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { loadConfig } from "../../../src/config/load.ts";
import { aboutSetting, settingNames, type SettingName } from "../../../src/config/settings.ts";
import { messagesOf } from "../../../src/texts/catalogue.ts";
import { packageRoot } from "../../../src/package-root.ts";
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
  expect(() => loadConfig(example)).toThrow("SECRET secret_has_space");
});

it(`docker-compose.yml passes on every setting (${command})`, () => {
  const lines = settingNames.flatMap((name) => {
    const { composeNote } = aboutSetting(name);
    const value = composeValue(name);
    const note = composeNote === undefined ? [] : [`    # ${composeNote}`];
    return value === null ? [] : [...note, `    ${name}: ${value}`];
  });
  expectWritten("docker-compose.yml", { settings: lines.join("\n") }, command);
});

it(`.env.example has every setting that it can set (${command})`, () => {
  const file = readFileSync(join(packageRoot, ".env.example"), "utf8").replace(/^# <settings>.*# <\/settings>$/ms, "");
  const above = new Set([...file.matchAll(/^#?([A-Z_]+)=/gm)].map((match) => match[1]));
  const lines = settingNames.flatMap((name) => {
    const { example: value, fallback } = aboutSetting(name);
    const variable = /^\$\{([A-Z_]+):-\}$/.exec(composeValue(name) ?? "")?.[1];
    if (variable === undefined || above.has(variable)) return [];
    return [`# ${withoutLinks(textOf(`setting.${name}`))}`, `#${variable}=${value ?? fallback ?? ""}`];
  });
  expectWritten(".env.example", { settings: lines.join("\n") }, command);
});

it("the catalogue has texts only of settings that exist", () => {
  const named = Object.keys(messagesOf("en")).flatMap((key) => /^setting\.([A-Z_]+)/.exec(key)?.[1] ?? []);
  expect([...new Set(named)].toSorted()).toEqual([...settingNames].toSorted());
});

/** Nothing renders a comment in .env, so a link becomes the path of its page. */
function withoutLinks(text: string): string {
  return text.replace(/\[[^\]]+\]\(([^)#]+)[^)]*\)/g, "docs/$1");
}

function composeValue(name: SettingName): string | null {
  const { compose = `\${${name}:-}` } = aboutSetting(name);
  return compose;
}

function settingsTable(): string {
  const rows = settingNames.map((name) => {
    const { secret = false, fallback, shownDefault = fallback ?? "" } = aboutSetting(name);
    const names = secret ? `\`${name}\` or \`${name}_FILE\`` : `\`${name}\``;
    return `| ${names} | ${shownDefault && `\`${shownDefault}\``} | ${textOf(`setting.${name}`)} |`;
  });
  return ["| Setting | Default | What it does |", "| --- | --- | --- |", ...rows].join("\n");
}
