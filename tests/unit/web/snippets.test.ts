import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { packageRoot } from "../../../src/package-root.ts";
import { makeSnippets } from "../../../src/web/embed/snippets.ts";
import { openWording } from "../../../src/texts/catalogue.ts";

test("docs/embed.md has the snippets of the dashboard", () => {
  const handbook = readFileSync(join(packageRoot, "docs/embed.md"), "utf8");
  const { link, ...shown } = makeSnippets("https://alerts.example", ["lg u+", "huawei", "Korea"], openWording("en"));
  for (const snippet of Object.values(shown)) expect(handbook).toContain(snippet);
  expect(link).toContain('href="https://alerts.example/subscribe?tags=lg%20u%2B&amp;tags=huawei&amp;tags=Korea"');
});

test("a tag with any characters is escaped in the snippets", () => {
  const { box, form } = makeSnippets(
    "https://alerts.example/news",
    ["Paris, Texas", `O'Neill "<&>"`],
    openWording("en"),
  );
  expect(box).toBe(
    `<script src="https://alerts.example/news/embed.js" data-tags='["Paris, Texas","O&#39;Neill \\"&lt;&amp;>\\""]' async></script>`,
  );
  expect(form).toContain(`value="O&#39;Neill &quot;&lt;&amp;&gt;&quot;" checked> O&#39;Neill`);
  expect(makeSnippets("https://alerts.example/news", [], openWording("en")).boxPolicy).toBe(
    "script-src 'self' https://alerts.example; connect-src 'self' https://alerts.example",
  );
});

test("the texts of the form and the link are in the publication's language", () => {
  const { form, link } = makeSnippets("https://alerts.example", ["huawei"], openWording("de"));
  expect(form).toContain("<button>Anmelden</button>");
  for (const text of [form, link]) {
    expect(text).toContain(">Unsere Nachrichten täglich kostenlos per Mail</");
    expect(text).not.toMatch(/sign up|email address/i);
  }
});
