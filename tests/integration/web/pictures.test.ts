import { afterAll, beforeAll, expect, test } from "vitest";
import { ingest } from "../../../src/articles/ingest.ts";
import { apiSource } from "../../../src/sources/store.ts";
import { frozenArticles } from "../../../src/editions/frozen-articles.ts";
import { openEdition } from "../../../src/editions/open.ts";
import { signIn, type Dashboard } from "../../support/sign-in.ts";
import { openWeb, type OpenWeb } from "./open.ts";

let site: OpenWeb;
let dashboard: Dashboard;
const picture = { url: "https://pictures.example/i.jpg", alt: "A mast", width: 1200, height: 800 };
const item = { guid: "1", url: "https://news.example/1", title: "One", summary: "", tags: ["news"], publishedAt: null };

beforeAll(async () => {
  site = await openWeb();
  dashboard = await signIn(site);
});
afterAll(() => site.close());

async function take(own: typeof picture | null): Promise<string | undefined> {
  const { app } = site;
  const source = await apiSource(app.db, app.clock.now());
  const [outcome] = await ingest(app, source, [{ ...item, origin: null, picture: own }]);
  return outcome?.outcome;
}

test("a picture is stored with its article, and corrected with it", async () => {
  expect(await take(null)).toBe("added");
  expect(await take(picture)).toBe("updated");
  expect(await take(picture)).toBe("unchanged");
});

test("an operator sees emails with pictures before they are switched on", async () => {
  const plain = await dashboard.get("/operator/preview.html");
  expect(plain.body).not.toContain("pictures.example");
  expect(plain.headers["content-security-policy"]).not.toContain("https:");
  const { body } = await dashboard.get("/operator/preview");
  const path = /href="([^"]*pictures=lead[^"]*)"/.exec(body)?.[1]?.replaceAll("&amp;", "&") ?? "";
  const asked = await dashboard.get(path);
  const frame = /<iframe[^>]+src="([^"]+)"/.exec(asked.body)?.[1]?.replaceAll("&amp;", "&") ?? "";
  const shown = await dashboard.get(frame);
  expect(shown.body).toContain('src="https://pictures.example/i.jpg" alt="A mast" width="608" height="405"');
  expect(shown.headers["content-security-policy"]).toContain("img-src data: 'self' https:");
});

test("the set-up page offers the pictures to choose from", async () => {
  const { body } = await dashboard.get("/operator/setup");
  const select = /<select id="PICTURES"[^]*?<\/select>/.exec(body)?.[0] ?? "";
  expect(
    [...select.matchAll(/<option value="(\w+)"( selected)?/g)].map(([, value, chosen]) => [value, !!chosen]),
  ).toEqual([
    ["off", true],
    ["lead", false],
    ["all", false],
  ]);
});

test("an edition freezes the pictures of its articles", async () => {
  const { app } = site;
  const { edition } = await openEdition(
    { ...app, gather: async () => {} },
    { date: "2026-11-24", dueAt: app.clock.now(), timezone: "UTC", extra: false },
  );
  expect(await frozenArticles(app.db, edition.id)).toMatchObject([{ title: "One", picture }]);
});
