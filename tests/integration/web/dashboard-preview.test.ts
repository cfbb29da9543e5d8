import { heldRevision } from "../../../src/editions/edit-held.ts";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { sql, type KyselyPlugin } from "kysely";
import { afterAll, beforeAll, expect, test } from "vitest";
import { testMailCap } from "../../../src/abuse/limits.ts";
import { Refusal } from "../../../src/base/errors.ts";
import { frozenWithIds } from "../../../src/editions/frozen-articles.ts";
import { draftLimits } from "../../../src/editions/draft.ts";
import { openEdition } from "../../../src/editions/open.ts";
import { renderEdition } from "../../../src/editions/render.ts";
import { getEdition } from "../../../src/editions/store.ts";
import { ofHeld } from "../../../src/web/operator/preview.ts";
import { textOf } from "../../support/text.ts";
import { signIn, type Dashboard } from "../../support/sign-in.ts";
import { article, openWeb, type OpenWeb } from "./open.ts";

let site: OpenWeb;
let dashboard: Dashboard;

beforeAll(async () => {
  site = await openWeb();
  dashboard = await signIn(site);
  await site.api("POST", "/articles", [article(1, ["lg u+"]), article(2, ["huawei"]), article(3, ["lg u+", "c++"])]);
});
afterAll(() => site.close());

const get: Dashboard["get"] = (url) => dashboard.get(url);
const post: Dashboard["post"] = (url, fields) => dashboard.post(url, fields);

/** Headlines in the order of the mail. */
async function order(): Promise<string[]> {
  const { body } = await get("/operator/preview.html");
  return [...new Set(body.match(/(?<=<h2[^>]*><a [^>]*>)Headline \d/g))];
}

test("the preview shows the next edition as a reader of given tags gets it, with its size", async () => {
  const { body } = await get("/operator/preview?tags=lg+u%2B");
  expect(body).toContain("Next edition, Wednesday, 25 November 2026");
  expect(body).toMatch(/\d+ kB of HTML \([^)]*102 kB\)/);
  const frame = /<iframe[^>]+src="([^"]+)"/.exec(body)![1]!;
  const mail = (await get(frame.replaceAll("&amp;", "&"))).body;
  expect(mail).toContain("Headline 3");
  expect(mail).not.toContain("Headline 2");
  expect((await get("/operator/preview?tags=nothing")).body).toContain("No article is tagged nothing.");
  expect((await get("/operator/preview?tags=lg+u%2B&view=source")).body).toContain("MIME-Version: 1.0");
});

test("an editor reorders the next edition, leaves out an article and changes its text, and an outdated change is refused", async () => {
  const [first, second, third] = await order();
  const id = (headline: string): string => headline.slice(-1);
  await post("/operator/preview/save", { act: `lead:${id(third!)}`, revision: "0" });
  expect(await order()).toEqual([third, first, second]);
  await post("/operator/preview/save", { act: `down:${id(first!)}` });
  expect(await order()).toEqual([third, second, first]);
  const all = (await get("/operator/preview")).body.match(/(?<=name="order" value=")\d+/g)!;
  await post("/operator/preview/save", { order: all, out: id(second!) });
  expect(await order()).toEqual([third, first]);
  const words = { introduction: "Good morning.", subject: "Own subject" };
  const outdated = await post("/operator/preview/save", { ...words, revision: "0" });
  expect([outdated.statusCode, outdated.body]).toEqual([409, expect.stringContaining("Good morning.")]);
  const revision = /name="revision" value="(\d+)"/.exec(outdated.body)![1]!;
  const saved = await post("/operator/preview/save", { ...words, revision });
  expect(saved.headers.location).toBe("/operator/preview?saved=subject&saved=introduction#edit");
  expect((await get("/operator/preview")).body).toContain("Own subject");
  expect((await get("/operator/preview.html")).body).toContain("Good morning.");
  const texts = (title: string) => ({ [`title-${id(first!)}`]: title, [`summary-${id(first!)}`]: "" });
  await post("/operator/preview/save", texts("In our words"));
  expect((await get("/operator/preview.html")).body).toContain("In our words");
  expect((await post("/operator/preview/test", { address: "ada@example.com", tags: "lg u+" })).statusCode).toBe(303);
});

test("a form that is refused keeps its input, with the message at its field", async () => {
  const long = "x".repeat(draftLimits.title + 1);
  const typed = { subject: "Kept subject", "title-1": long };
  const { statusCode, body } = await post("/operator/preview/save", typed);
  expect(statusCode).toBe(422);
  expect(body).toContain("Kept subject");
  const message = textOf("error.edition_text_too_long", {
    field: "title",
    length: long.length,
    most: draftLimits.title,
  });
  expect(body).toContain(`id="t1-wrong">${message}`);
  const mailed = await post("/operator/preview/test", { address: "not an address" });
  expect([mailed.statusCode, mailed.body]).toEqual([422, expect.stringContaining('value="not an address"')]);
});

test("what an editor types is previewed before it is saved", async () => {
  const look = (fields: Record<string, string | string[]>) => post("/operator/preview/look", fields);
  const before = await order();
  const typed = { introduction: "Not saved.", "title-1": "Typed first", "title-3": "Typed second" };
  const { body, headers } = await look({ order: ["1", "3"], ...typed });
  expect(body).toMatch(/Typed first[^]*Typed second/);
  expect(body).toContain("Not saved.");
  expect(headers["content-security-policy"]).toContain("frame-ancestors 'self'");
  expect((await look({ tags: "huawei", order: "2", out: "2" })).body).toContain(textOf("preview.no_article"));
  expect(await order()).toEqual(before);
});

test("the preview shows the findings of the pre-send checks, and the results of a link check", async () => {
  const server = createServer(({ url }, response) => response.writeHead(url === "/there" ? 200 : 404).end());
  await once(server.listen(0, "127.0.0.1"), "listening");
  site.app.fetch = { ...site.app.fetch, allowPrivate: true };
  const home = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const checked = textOf("preview.links", { time: "24 Nov, 08:00", n: 2, fine: 1 });
  const linked = ["there", "away"].map((page, n) => article(n + 4, ["huawei"], { url: `${home}/${page}` }));
  await site.api("POST", "/articles", linked);
  expect((await get("/operator/preview")).body).not.toContain(checked);
  const asked = await post("/operator/preview/check-links");
  expect(asked.headers.location).toBe("/operator/preview?done=check-links#links");
  server.close();
  const { body } = await get(String(asked.headers.location));
  expect(body).toContain(`${checked} ${textOf("preview.links_unchecked", { n: 2 })}`);
  const finding = textOf("finding.link_broken", { title: "Headline 5", code: "status", status: 404 });
  expect(body).toContain(finding);
  expect((await site.api("GET", "/editions/next")).json()).toMatchObject({ findings: [finding] });
  const { samples } = site.app;
  site.app.samples = () => Promise.reject(new Refusal(422, "A slot is missing."));
  expect((await site.api("PUT", "/editions/next", { subject: "Own" })).json()).toMatchObject({
    findings: [textOf("finding.template_failed", { problem: "A slot is missing." })],
  });
  site.app.samples = samples;
  await post("/operator/preview/save", { order: "5", out: "5" });
  expect((await get("/operator/preview")).body).not.toContain(finding);
  expect(
    await site.app.db.selectFrom("audit").select("actor").where("action", "=", "edition check-links").execute(),
  ).toEqual([{ actor: "Ada" }]);
});

test("an editor leaves an article out of a held edition, moves another to the front, and puts it back", async () => {
  const { app } = site;
  app.options = { ...app.options, approval: "hold" };
  await site.api("POST", "/subscribers", {
    address: "a@example.com",
    allTags: true,
    confirmed: true,
    consent: { method: "test" },
  });
  const { edition } = await openEdition(
    { ...app, gather: async () => {} },
    { date: "2026-11-24", dueAt: app.clock.now(), timezone: "UTC", extra: false },
  );
  await renderEdition({ ...app, options: { ...app.options, checkLinks: false } }, edition.id);
  const base = "/operator/editions/2026-11-24/save";
  const page = "/operator/preview?edition=2026-11-24";
  const now = async () => (await site.api("GET", "/editions/2026-11-24")).json();
  const ids = async () => (await now()).articles.map(({ id }: { id: number }) => id);
  const [first, second, third] = await ids();
  expect((await get("/operator/editions/2026-11-24")).body).not.toContain('href="/editions/2026-11-24"');
  expect((await post(base, { act: `up:${third}` })).headers.location).toBe(`${page}&saved=order#a${third}`);
  expect(await ids()).toEqual([first, third, second]);
  await post(base, { order: `${first}`, out: `${first}` });
  expect(await ids()).toEqual([third, second]);
  const { body } = await get(page);
  expect(body).toContain(`name="out" value="${first}" checked`);
  expect(body).toContain(`name="act" value="hide:${third}"`);
  await expectOneOfTwo(/name="revision" value="(\w+)"/.exec(body)![1]!);
  await expectOneLook();
  await post(base, { order: `${first}` });
  expect(await ids()).toEqual([first, third, second]);
  await post(base, { act: `hide:${first}` });
  expect(await now()).toMatchObject({ state: "held", articleCount: 2, leftOut: [] });
  expect((await site.api("PUT", "/editions/2026-11-24", { leaveOut: [first] })).statusCode).toBe(422);
  expect((await site.api("PUT", "/editions/2026-11-24", { leaveOut: [third] })).json()).toMatchObject({
    articleCount: 1,
  });
  expect((await now()).leftOut).toMatchObject([{ id: third }]);
  await post("/operator/editions/2026-11-24/approve");
  expect((await post(base, { order: `${third}` })).statusCode).toBe(409);
  expect(await now()).toMatchObject({ revision: null });
});

/** What is shown of a held edition and the revision that it is shown with belong together, whoever changes it at that moment. */
async function expectOneLook(): Promise<void> {
  const { app } = site;
  const edition = await getEdition(app.db, "2026-11-24");
  let changed: Promise<unknown> | null = null;
  const between: KyselyPlugin = {
    transformQuery: ({ node }) => node,
    async transformResult({ result }) {
      await (changed ??= sql`update edition_articles set snapshot = jsonb_set(snapshot, '{title}', '"Mended"')`.execute(
        app.db,
      ));
      return result;
    },
  };
  const shown = await ofHeld(app.db.withPlugin(between), edition);
  expect(shown.articles.map(({ title }) => title)).not.toContain("Mended");
  expect(shown.revision).not.toBe(heldRevision(edition, await frozenWithIds(app.db, edition.id)));
}

/** Of two who change a held edition from one look at it the first wins, by page or by API. */
async function expectOneOfTwo(seen: string): Promise<void> {
  const words = { introduction: "", subject: "Ada’s own", revision: seen };
  expect((await post("/operator/editions/2026-11-24/save", words)).statusCode).toBe(303);
  const late = await post("/operator/editions/2026-11-24/save", { ...words, subject: "Another" });
  expect(late.statusCode).toBe(409);
  expect(late.body).toContain(textOf("error.edition_changed", { actor: "Ada", edition: "2026-11-24" }));
  const byProgram = (revision: string) => site.api("PUT", "/editions/2026-11-24", { subject: "A program’s", revision });
  expect((await byProgram(seen)).statusCode).toBe(409);
  const { revision, subject } = (await site.api("GET", "/editions/2026-11-24")).json();
  expect(subject).toBe("Ada’s own");
  expect((await byProgram(revision)).json()).toMatchObject({ subject: "A program’s" });
}

test("test emails are limited per operator and hour, whichever way they are requested", async () => {
  await site.app.db.deleteFrom("caps").execute();
  const { points } = testMailCap;
  const fields = { address: "me@example.com" };
  const codes = [];
  for (let n = 0; n < points; n++) codes.push((await post("/operator/preview/test", fields)).statusCode);
  expect(codes).toEqual(Array.from({ length: points }, () => 303));
  const before = await site.app.db.selectFrom("notices").selectAll().execute();
  for (const path of ["/operator/preview/test", "/operator/setup/test"]) {
    const answer = await post(path, fields);
    expect([path, answer.statusCode]).toEqual([path, 429]);
    expect(Number(answer.headers["retry-after"])).toBeGreaterThan(3_000);
  }
  expect(await site.app.db.selectFrom("notices").selectAll().execute()).toEqual(before);

  expect((await site.api("POST", "/editions/next/test", fields)).statusCode).toBe(202);
  for (let n = 1; n < points; n++) await site.api("POST", "/alerts/test");
  for (const path of ["/alerts/test", "/editions/next/test"]) {
    const answer = await site.api("POST", path, path.includes("alerts") ? undefined : fields);
    expect([path, answer.statusCode]).toEqual([path, 429]);
    expect(Number(answer.headers["retry-after"])).toBeGreaterThan(3_000);
  }
});
