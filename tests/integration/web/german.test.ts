import { afterAll, beforeAll, expect, test } from "vitest";
import { handleSignups } from "../../../src/subscribers/handle-signup.ts";
import { asciiJson } from "../../../src/web/texts.ts";
import { messagesOf } from "../../../src/wording/catalogue.ts";
import { article, openWeb, type OpenWeb } from "./open.ts";

const consent =
  "Ich möchte täglich eine Mail von Telecoms Daily mit den Artikeln zu meinen Themen. Ich kann sie jederzeit abbestellen, über den Link in jeder Mail.";
let site: OpenWeb;

beforeAll(async () => {
  site = await openWeb({ LANGUAGE: "de-AT" });
  await site.api("POST", "/articles", [article(1, ["lg u+", "huawei"])]);
});
afterAll(() => site.close());

const get = (url: string) => site.inject({ method: "GET", url });

test("the box, and what it is answered, are in German", async () => {
  const { body } = await get("/embed.js");
  expect(body).toMatch(/^[\n\x20-\x7e]+$/);
  for (const [key, text] of Object.entries(messagesOf("de"))) {
    if (/^embed\.(?!invitation)/.test(key)) expect(body).toContain(asciiJson(text));
  }
  expect(body).toContain(asciiJson(consent));
  expect(body).toContain('"language":"de-AT"');

  const payload = { address: "ada", tags: ["lg u+"], allTags: false };
  const refused = await site.inject({ method: "POST", url: "/subscribe", payload });
  expect(refused.json()).toMatchObject({ detail: expect.stringMatching(/^„ada“ ist keine E-Mail-Adresse/) });
});

test("a reader agrees in German, and that is what the record keeps", async () => {
  expect((await get("/subscribe")).body).toContain(consent);
  await site.inject({
    method: "POST",
    url: "/subscribe",
    payload: "address=eve%40example.com&tags=huawei",
    headers: { "content-type": "application/x-www-form-urlencoded" },
  });
  await handleSignups(site.app);
  const records = await site.app.db.selectFrom("consents").select("wording").execute();
  expect(records).toEqual([{ wording: consent }]);
});

test("the next edition is told with its hour, as Germans say it", async () => {
  expect((await get("/")).body).toMatch(/erscheint am \S+, \d+\. \S+ um \d\d:\d\d Uhr \(UTC\)\./);
});

test("the names of tags that are not there end with a full stop before the next sentence", async () => {
  const text = (await get("/sample?tag=nichts")).body.replace(/<[^>]+>/g, "");
  expect(text).toContain("Dieses Thema gibt es nicht: nichts. Die vorhandenen stehen weiter unten zur Wahl.");
});
