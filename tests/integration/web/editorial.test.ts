import { readdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { processors } from "../../../jobs/index.ts";
import { findEdition, getEdition } from "../../../src/editions/store.ts";
import { addSubscriber } from "../../../src/subscribers/add.ts";
import { textOf } from "../../support/text.ts";
import { readMail, type ReadMail } from "../../support/reading.ts";
import { article, openWeb, type OpenWeb } from "./open.ts";

let site: OpenWeb;
/** Article ids by number. */
const ids: Record<number, number> = {};

const readers: Record<string, string[]> = { "huawei@example.org": ["huawei"], "korea@example.org": ["korea"] };

beforeAll(async () => {
  site = await openWeb();
  const tags = [["huawei"], ["huawei", "korea"], ["korea"], ["huawei"]];
  // The last of them is the newest.
  for (const [n, own] of tags.entries()) {
    const publishedAt = `2026-11-24T0${n + 1}:00:00Z`;
    const added = await site.api("POST", "/articles", article(n + 1, own, { publishedAt }));
    ids[n + 1] = added.json().articles[0].id;
  }
  for (const [address, own] of Object.entries(readers)) {
    await addSubscriber(site.app, { address, tags: own, allTags: false, confirmed: true, actor: "test" });
  }
});
afterAll(() => site.close());

const edit = (change: object) => site.api("PUT", "/editions/next", change);
const coming = async () => (await site.api("GET", "/editions/next")).json();

/** Mails in the outbox by their reader, taken out of it. */
async function mails(): Promise<Record<string, ReadMail>> {
  const dir = join(site.app.config.dataDir, "outbox");
  const found: Record<string, ReadMail> = {};
  for (const name of await readdir(dir).catch(() => [])) {
    if (!name.endsWith(".eml")) continue;
    const raw = await readFile(join(dir, name));
    const to = /^To: <?([^>\r\n]+)>?/m.exec(raw.toString("latin1"))?.[1] ?? "";
    found[to] = await readMail({ to, raw });
    await rm(join(dir, name));
  }
  return found;
}

/** Sends today's edition now, or one more of it, and gives each reader's mail. */
async function send(extra = false): Promise<Record<string, ReadMail>> {
  const { name } = (await site.api("POST", "/editions", { extra })).json();
  const number = extra ? Number(name.split(".")[1]) : 1;
  const { id, slices } = await getEdition(site.app.db, "2026-11-24", number);
  await site.render(id);
  const jobs = processors(site.app);
  for (let slice = 0; slice < slices; slice++) {
    await jobs["deliver-slice"]({ editionId: id, slice }, new AbortController().signal);
  }
  await jobs["close-edition"]({ editionId: id }, new AbortController().signal);
  expect(await getEdition(site.app.db, "2026-11-24", number)).toMatchObject({ state: "finished" });
  return mails();
}

test("the next edition is shown as it would be, newest first and unedited", async () => {
  const edition = await coming();
  expect(edition).toMatchObject({ date: "2026-11-25", revision: 0, introduction: null, subject: null });
  expect(edition.articles.map(({ id }: { id: number }) => id)).toEqual([ids[4], ids[3], ids[2], ids[1]]);
  expect(edition.articles[0]).toMatchObject({ leftOut: false, placed: false, original: null });
});

test.each<[string, () => object, RegExp]>([
  ["an article that does not wait", () => ({ first: [4711] }), /Article 4711 is not waiting/],
  ["a subject that is too long", () => ({ subject: "x".repeat(121) }), /subject has 121 characters/],
  [
    "an introduction that is too long",
    () => ({ introduction: "x".repeat(2_001) }),
    /introduction has 2,001 characters/,
  ],
  ["a title that is too long", () => ({ words: { [ids[1]!]: { title: "x".repeat(301) } } }), /title has 301/],
  ["a field of another name", () => ({ lead: ids[1] }), /lead/],
])("%s is refused, and changes nothing", async (_what, change, sentence) => {
  const answer = await edit({ subject: "No", ...change() });
  expect(answer.statusCode).toBe(422);
  expect(answer.json().detail).toMatch(sentence);
  expect(await coming()).toMatchObject({ revision: 0, subject: null });
});

test("of two editors who change the next edition at once, the second is refused", async () => {
  const revision = 0;
  const answers = await Promise.all([1, 2].map((n) => edit({ revision, introduction: `By editor ${n}` })));
  expect(new Set(answers.map(({ statusCode }) => statusCode))).toEqual(new Set([200, 409]));
  expect(answers.find(({ statusCode }) => statusCode === 409)!.json().detail).toBe(
    textOf("error.next_edition_changed", { date: "2026-11-25" }),
  );
});

test("the preview and the test email show an editor's order, texts and omissions", async () => {
  const answer = await edit({
    first: [ids[1], ids[3]],
    leftOut: [ids[4]],
    words: { [ids[2]!]: { title: "  Two,\r\nrewritten ", summary: "" } },
    introduction: "Good morning & <b>welcome</b>.\n\n\nSecond paragraph.",
    subject: "A word\r\nBcc: x@example.org",
  });
  expect(answer.json()).toMatchObject({
    revision: 2,
    introduction: "Good morning & <b>welcome</b>.\n\nSecond paragraph.",
    subject: "A word Bcc: x@example.org",
    articles: [
      { id: ids[1], placed: true },
      { id: ids[3], placed: true },
      { id: ids[2], title: "Two, rewritten", summary: "", original: { title: "Headline 2", summary: "Summary 2." } },
      { id: ids[4], leftOut: true },
    ],
  });
  const preview = (await site.api("GET", "/editions/next/preview?as=text&tags=huawei")).body;
  expect(preview).toContain("Second paragraph.");
  expect(preview.indexOf("Headline 1")).toBeLessThan(preview.indexOf("Two, rewritten"));
  expect(preview).not.toMatch(/Headline [34]|Summary 2/);

  expect((await site.api("POST", "/editions/next/test", { address: "nobody" })).statusCode).toBe(422);
  const asked = await site.api("POST", "/editions/next/test", { address: "ada@example.com", tags: ["korea"] });
  expect(asked.statusCode).toBe(202);
  await processors(site.app)["send-notices"]({}, new AbortController().signal);
  const { "ada@example.com": mail } = await mails();
  expect(mail).toMatchObject({
    subject: "Sample copy: A word Bcc: x@example.org",
    headlines: ["Headline 3", "Two, rewritten"],
  });
});

test("a text that equals the source's is no change, however long it is", async () => {
  const own = { title: "Headline 3", summary: "Summary 3." };
  const { articles } = (await edit({ words: { [ids[3]!]: own } })).json();
  expect(articles[1]).toMatchObject({ id: ids[3], original: null });
});

test("a change of some articles leaves the others unchanged, and can be undone", async () => {
  await edit({ words: { [ids[3]!]: { title: "Three" } } });
  const { articles } = (await edit({ words: { [ids[3]!]: { title: null } } })).json();
  expect(articles[1]).toMatchObject({ title: "Headline 3", original: null });
  expect(articles[2]).toMatchObject({ title: "Two, rewritten" });
});

test("the next frozen edition has the changes, and each reader gets their articles in that order", async () => {
  const sent = await send();
  expect(Object.keys(sent).toSorted()).toEqual(Object.keys(readers));
  expect(sent["huawei@example.org"]).toMatchObject({
    subject: "A word Bcc: x@example.org",
    headlines: ["Headline 1", "Two, rewritten"],
  });
  expect(sent["korea@example.org"]).toMatchObject({
    subject: "A word Bcc: x@example.org",
    headlines: ["Headline 3", "Two, rewritten"],
  });
  for (const { html, text: plain } of Object.values(sent)) {
    expect(html).toContain("Good morning &amp; &lt;b&gt;welcome&lt;/b&gt;.");
    expect(plain).toContain("Good morning & <b>welcome</b>.\n\nSecond paragraph.");
  }
  const detail = (await site.api("GET", "/editions/2026-11-24")).json();
  expect(detail).toMatchObject({ subject: "A word Bcc: x@example.org", approvedBy: expect.any(String) });
  expect((await site.inject({ method: "GET", url: "/editions/2026-11-24" })).body).toContain("Second paragraph.");
});

test("a left-out article waits for the following edition, which is unedited", async () => {
  expect(await coming()).toMatchObject({ revision: 0, subject: null, articles: [{ id: ids[4], leftOut: false }] });
  const sent = await send(true);
  expect(sent).toMatchObject({ "huawei@example.org": { subject: "Headline 4", headlines: ["Headline 4"] } });
  expect(Object.keys(sent)).toHaveLength(1);
});

test("an introduction for a date that has passed is not used for another date", async () => {
  await edit({ introduction: "Happy Wednesday" });
  await site.api("POST", "/articles", article(5, ["korea"]));
  site.clock.at = new Date("2026-11-26T07:00:30Z");
  const open = processors(site.app)["open-edition"];
  await open({}, new AbortController().signal);
  expect(await findEdition(site.app.db, "2026-11-26")).toMatchObject({ introduction: null, articles: 1 });
});

test("every change of an edition is in the audit log", async () => {
  const entries = await site.app.db.selectFrom("audit").select(["action", "subject"]).orderBy("id").execute();
  const edits = entries.filter(({ action }) => action.startsWith("edition"));
  expect(edits.slice(0, 3)).toEqual([
    { action: "edition edit", subject: "2026-11-25" },
    { action: "edition edit", subject: "2026-11-25" },
    { action: "edition test", subject: "next" },
  ]);
});
