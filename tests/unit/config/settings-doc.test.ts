import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { loadConfig, settingsTable } from "../../../src/config.ts";

const path = fileURLToPath(new URL("../../../docs/settings.md", import.meta.url));
const command = "UPDATE_DOCS=1 npx vitest run --project unit tests/unit/config/settings-doc.test.ts";
const example = {
  DATABASE_URL: "postgres://dayletter:password@db.example.com/dayletter",
  REDIS_URL: "redis://redis.example.com:6379",
  // With white space, so that nobody runs on a key that all can read here.
  SECRET: "what openssl rand -hex 32 prints",
  SMTP_URL: "smtp://user:password@relay.example.com:587",
  PUBLIC_URL: "https://alerts.example.com",
  PUBLICATION_NAME: "Telecom Daily",
  MAIL_FROM: '"Telecom Daily" <alerts@example.com>',
  POSTAL_ADDRESS: "1 Main Street, Springfield",
  TIMEZONE: "Europe/Berlin",
  SOURCES: "https://news.example.com/feed.xml",
};
const page = `# Settings

<!-- Written by: ${command} -->

Every setting is an environment variable; an empty one counts as unset. At start everything that is wrong is named at
once, and the process ends with exit code 2. None is required to try Dayletter out.

${settingsTable()}

A publication that sends to real readers sets at least these:

\`\`\`sh
${Object.entries(example)
  .map(([name, value]) => `${name}='${value}'`)
  .join("\n")}
\`\`\`

Make the \`SECRET\` with \`openssl rand -hex 32\`, once, and keep it: the links in mails already sent depend on it.
`;

it(`docs/settings.md tells the settings as they are (${command})`, () => {
  if (process.env["UPDATE_DOCS"] === "1") writeFileSync(path, page);
  expect(readFileSync(path, "utf8"), `docs/settings.md is behind src/config/schema.ts; run: ${command}`).toBe(page);
});

it("its example starts with a key of one's own, and not without", () => {
  expect(loadConfig({ ...example, SECRET: "k".repeat(32) }).embedded).toEqual({
    records: false,
    queue: "redis",
    mail: false,
  });
  expect(() => loadConfig(example)).toThrow(/^SECRET: it has white space in it; take that out\.$/);
});
