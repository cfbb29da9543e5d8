import { simpleParser } from "mailparser";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { formTime } from "../../src/abuse/forms.ts";
import { composeNotice } from "../../src/notices/compose.ts";
import { retain } from "../../src/alerts/retention.ts";
import { addSubscriber } from "../../src/subscribers/add.ts";
import { confirm, readConfirmation } from "../../src/subscribers/confirm.ts";
import { handleSignups, requestSignup } from "../../src/subscribers/signup.ts";
import { findByAddress } from "../../src/subscribers/store.ts";
import { confirmLink, linkToken } from "../../src/subscribers/tokens.ts";
import { textOf } from "../support/text.ts";
import { article, openWeb, type OpenWeb } from "./web/open.ts";

let site: OpenWeb;
let articles = 1;
beforeAll(async () => {
  site = await openWeb();
  await site.api("POST", "/articles", [article(1, ["lg u+", "Korea"])]);
});
beforeEach(async () => {
  const { db } = site.app;
  for (const table of ["signups", "caps", "notices", "subscribers", "consents"] as const)
    await db.deleteFrom(table).execute();
  await db.deleteFrom("tags").where("requested_at", "is not", null).execute();
});
afterAll(() => site.close());

const address = "ada@example.com";
const get = async (url: string, headers: Record<string, string> = {}) => site.inject({ method: "GET", url, headers });
const tagNames = async () =>
  (await site.app.db.selectFrom("tags").select("name").orderBy("key").execute()).map(({ name }) => name);
const offered = (body: string): string[] =>
  [...body.matchAll(/name="tags" value="([^"]+)"/g)].map((match) => match[1]!);
const signUp = (tags: readonly string[]) =>
  site.inject({
    method: "POST",
    url: "/subscribe",
    payload: { address, tags, t: formTime(site.app.options.secret, new Date(site.clock.at.getTime() - 10_000)) },
  });
const publish = (tags: string[]) => site.api("POST", "/articles", [article((articles += 1), tags)]);

/** Signs up as far as the confirmation. @returns the token of its link */
async function ask(tags: readonly string[]): Promise<string> {
  const { app } = site;
  await requestSignup(app, { address, tags, allTags: false, timezone: null, formUrl: null, from: null });
  await handleSignups({ ...app, mayMail: async () => true });
  const { key } = await app.db.selectFrom("consents").select("key").orderBy("id", "desc").executeTakeFirstOrThrow();
  return confirmLink(app.options, key!, app.clock.now()).split("/").at(-1)!;
}

async function preferences(fields: [string, string][]) {
  const reader = (await findByAddress(site.app.db, address))!;
  return site.inject({
    method: "POST",
    url: `/preferences/${linkToken(site.app.options.secret, "preferences", reader.key)}`,
    payload: new URLSearchParams(fields).toString(),
    headers: { "content-type": "application/x-www-form-urlencoded" },
  });
}

test("a tag that no article has had does not fail a sign-up, which says so", async () => {
  const taken = await signUp(["Korea", "Acme  Corp", "acme corp"]);
  expect(taken.statusCode).toBe(200);
  expect(taken.json()).toEqual({
    ok: true,
    message: `${textOf("subscribe.check_inbox")} ${textOf("subscribe.new_tags", { n: 1, tags: "Acme Corp" })}`,
    newTags: ["Acme Corp"],
  });
  expect(await tagNames()).toEqual(["Korea", "lg u+"]);
});

test("a new tag comes into being when its reader confirms, and gets its first article", async () => {
  const token = await ask(["Korea", "Acme  Corp"]);
  expect(await tagNames()).toEqual(["Korea", "lg u+"]);
  expect(await readConfirmation(site.app, token)).toMatchObject({ tags: ["Korea", "Acme Corp"] });
  expect(await confirm(site.app, token, null)).toMatchObject({ status: "active", tags: ["Acme Corp", "Korea"] });

  const [notice] = (await site.app.noticeLedger.claim({ count: () => 1 })).claimed;
  expect(notice).toMatchObject({ kind: "confirm" });
  await publish(["ACME corp"]);
  expect((await findByAddress(site.app.db, address))!.tags).toEqual(["Acme Corp", "Korea"]);
  expect(offered((await get("/subscribe")).body)).toContain("Acme Corp");
  await site.app.db.deleteFrom("articles").where("title", "=", `Headline ${articles}`).execute();
  await site.app.db.deleteFrom("tags").where("name", "=", "Acme Corp").execute();
});

test("the confirmation email has no text that was typed into the form", async () => {
  await ask(["Korea", "Buy at evil.example"]);
  const [notice] = (await site.app.noticeLedger.claim({ count: () => 1 })).claimed;
  const composed = await composeNotice(site.app, await site.app.notices(), notice!);
  if ("skip" in composed) throw new Error(composed.skip);
  const { text = "", html, subject } = await simpleParser(composed.message);
  expect(`${subject} ${text} ${String(html)}`).not.toContain("evil");
  expect(text).toContain("Korea");
  expect(text.replaceAll(/\s+/g, " ")).toContain(textOf("notice.confirm.new_tags", { n: 1 }));
});

test("a new tag is not offered to others, and looks the same whether or not somebody follows it", async () => {
  const look = async () => [
    offered((await get("/subscribe?q=acme")).body)[0],
    (await get("/subscribe/tags?q=acme")).json(),
    (await get("/tags/Acme")).statusCode,
    (await get("/tags/Acme")).body.includes('href="/subscribe?tags=Acme"'),
    (await get("/sample?tags=Acme")).statusCode,
    (await signUp(["Acme"])).json(),
  ];
  const before = await look();
  await confirm(site.app, await ask(["Acme"]), null);
  expect(await tagNames()).toContain("Acme");
  await site.app.db.deleteFrom("caps").execute();
  expect(await look()).toEqual(before);
  expect(before.slice(0, 4)).toEqual(["acme", { found: [], fresh: "acme" }, 404, true]);
  expect(offered((await get("/subscribe")).body)).not.toContain("Acme");
});

test("a link can bring new tags along, selected only for our own links", async () => {
  const trusted = await get("/subscribe?tags=Korea,Acme", { "sec-fetch-site": "same-origin" });
  expect(trusted.body).toMatch(/value="Acme" checked/);
  const other = await get("/subscribe?tags=Korea,Acme");
  expect(offered(other.body).slice(0, 2)).toEqual(["Korea", "Acme"]);
  expect(other.body).not.toContain("checked");
});

test("a reader adds and drops a new tag in the preferences, and nobody's tags are deleted", async () => {
  await addSubscriber(site.app, { address, tags: ["Korea"], allTags: false, confirmed: true, actor: "test" });
  const tags = async () => (await findByAddress(site.app.db, address))!.tags;
  expect(
    (
      await preferences([
        ["tags", "Acme"],
        ["tags", "lg u+"],
      ])
    ).statusCode,
  ).toBe(303);
  expect(await tags()).toEqual(["Acme", "lg u+"]);
  expect((await preferences([["tags", "Other"]])).statusCode).toBe(303);
  expect([await tags(), await tagNames()]).toEqual([["Other"], ["Korea", "lg u+", "Other"]]);
  const many = Array.from({ length: 31 }, (_, n): [string, string] => ["tags", `new ${n}`]);
  const over = await preferences(many);
  expect([over.statusCode, over.body.includes(textOf("error.too_many_new_tags", { most: 30 }))]).toEqual([422, true]);
  expect((await preferences([["tags", "x".repeat(61)]])).statusCode).toBe(422);
  expect(await tags()).toEqual(["Other"]);
});

test("readers together cannot follow more than 2,000 new tags, and those that nobody follows are deleted", async () => {
  const { db, clock } = site.app;
  await addSubscriber(site.app, { address, tags: ["Korea"], allTags: false, confirmed: true, actor: "test" });
  const row = (n: number) => ({ key: `k${n}`, name: `k${n}`, created_at: clock.now(), requested_at: clock.now() });
  await db
    .insertInto("tags")
    .values(Array.from({ length: 1_999 }, (_, n) => row(n)))
    .execute();
  expect(
    (
      await preferences([
        ["tags", "Acme"],
        ["tags", "Other"],
      ])
    ).statusCode,
  ).toBe(422);
  expect((await preferences([["tags", "Acme"]])).statusCode).toBe(303);
  site.clock.at = new Date(site.clock.at.getTime() + 25 * 3_600_000);
  await retain(site.app);
  expect(await tagNames()).toEqual(["Acme", "Korea", "lg u+"]);
});
