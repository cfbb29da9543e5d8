import { handleSignups } from "../../../src/subscribers/signup.ts";
import { afterAll, beforeAll, expect, test } from "vitest";
import { asciiJson } from "../../../src/web/views.ts";
import { messagesOf } from "../../../src/texts/catalogue.ts";
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

test("the box and the answers to it are in German", async () => {
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

test("the consent record keeps the German wording", async () => {
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

test("the next edition's time is formatted for German readers", async () => {
  expect((await get("/")).body).toMatch(/erscheint am \S+, \d+\. \S+ um \d\d:\d\d Uhr \(UTC\)\./);
});

test("the list of unknown tags ends with a full stop", async () => {
  const text = (await get("/sample?tag=nichts")).body.replace(/<[^>]+>/g, "");
  expect(text).toContain("Dieses Thema gibt es nicht: nichts. Die vorhandenen stehen weiter unten zur Wahl.");
});
