import type { LightMyRequestResponse } from "fastify";
import { sql } from "kysely";
import { type ParsedMail, simpleParser } from "mailparser";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { formTime } from "../../../src/abuse/forms.ts";
import { addSubscriber } from "../../../src/subscribers/add.ts";
import { changeAddress } from "../../../src/subscribers/change-address.ts";
import { composeNotice, type Composed } from "../../../src/notices/compose.ts";
import { ownLinks, expiringToken, linkToken } from "../../../src/subscribers/tokens.ts";
import { addNotice } from "../../../src/subscribers/notices.ts";
import { findByAddress, findSubscriber, type Subscriber } from "../../../src/subscribers/store.ts";
import { unsubscribe } from "../../../src/subscribers/leave.ts";
import { suppress } from "../../../src/subscribers/suppressions.ts";
import { forge } from "../../support/forge.ts";
import { signUps } from "../../support/sign-up.ts";
import { article, openWeb, type OpenWeb, token } from "./open.ts";
import { textOf } from "../../support/text.ts";

const address = "ada@example.com";
const later = new Date("2026-11-26T08:00:00Z");
let site: OpenWeb;
let own: string;
const reader = async (): Promise<Subscriber> => (await findByAddress(site.app.db, address))!;

beforeAll(async () => {
  site = await openWeb();
  const many = Array.from({ length: 28 }, (_, n) => `usual ${n}`);
  await site.api("POST", "/articles", [
    article(1, many),
    article(2, many),
    article(3, ["lg u+", "Paris, Texas", "rare"]),
  ]);
});
beforeEach(async () => {
  const { db, options } = site.app;
  for (const table of ["signups", "caps", "notices", "subscribers"] as const) await db.deleteFrom(table).execute();
  await addSubscriber(site.app, { address, tags: ["lg u+"], allTags: false, confirmed: true, actor: "test" });
  own = `/preferences/${linkToken(options.secret, "preferences", (await reader()).key)}`;
});
afterAll(() => site.close());

const get = (url: string, headers: Record<string, string> = {}) => site.inject({ method: "GET", url, headers });
const post = (url: string, fields: Record<string, string> | [string, string][] = {}) =>
  site.inject({
    method: "POST",
    url,
    payload: new URLSearchParams(fields).toString(),
    headers: { "content-type": "application/x-www-form-urlencoded" },
  });
const mailOf = async (composed: Composed): Promise<ParsedMail> => {
  if ("skip" in composed) throw new Error(composed.skip);
  return simpleParser(composed.message);
};
const ticked = (body: string): string[] => [...body.matchAll(/value="([^"]+)" checked/g)].map((match) => match[1]!);
const offered = (body: string): string[] =>
  [...body.matchAll(/name="tags" value="([^"]+)"/g)].map((match) => match[1]!);

test.each<[string, Record<string, string>, boolean]>([
  ["a page of the articles' site", { referer: "https://news.example.com/", "sec-fetch-site": "cross-site" }, true],
  ["the same without www", { referer: "https://www.news.example.com/7" }, true],
  ["one of our own pages", { "sec-fetch-site": "same-origin" }, true],
  ["a page of another site", { referer: "https://elsewhere.example/", "sec-fetch-site": "cross-site" }, false],
  ["a site with a name like ours", { referer: "https://news.example.com.evil.example/" }, false],
  ["a mail or a bookmark", { "sec-fetch-site": "none" }, false],
  ["nobody knows where", {}, false],
])("tags of a link from %s come first, and are selected only for our own links", async (_from, headers, trusted) => {
  const { body } = await get("/subscribe?tags=lg%20u%2B,rare,never%20seen&tags=Paris%2C%20Texas", headers);
  const brought = ["lg u+", "rare", "never seen", "Paris, Texas"];
  expect(offered(body).slice(0, 4)).toEqual(brought);
  expect(ticked(body)).toEqual(trusted ? brought : []);
  expect(body).toContain(textOf(trusted ? "form.ticked" : "form.suggested"));
  expect(body).toContain(textOf("form.unseen", { count: 1 }));
});

test("a page offers the most used tags and finds the others, by GET and for scripts", async () => {
  const { body } = await get("/subscribe");
  expect(offered(body)).toHaveLength(24);
  expect(offered(body)).not.toContain("rare");
  expect(offered((await get("/subscribe?q=RAR")).body)[0]).toBe("rare");
  const none = await get("/subscribe?q=nothing%20like%20it");
  expect(none.body).toContain(textOf("form.new_tag", { query: "nothing like it" }));
  expect(offered(none.body)[0]).toBe("nothing like it");
  expect((await get("/subscribe/tags?q=u%2B")).json()).toEqual({
    found: [{ name: "lg u+", articles: 1 }],
    fresh: "u+",
  });
  expect(offered((await get(`${own}?q=rare&tags=usual%201`)).body).slice(0, 3)).toEqual(["lg u+", "usual 1", "rare"]);
});

test.each<[string, Record<string, string>, string, string]>([
  ["a wrong address", { address: "ada@", all: "1" }, "address", "is not an email address"],
  ["no address", { address: "", all: "1" }, "address", "Enter your email address."],
  ["nothing chosen", { all: "", tags: "" }, "tags", textOf("error.no_tag_chosen")],
  ["a name that cannot be a tag", { all: "", tags: "n".repeat(61) }, "tags", "n".repeat(60)],
  ["a zone that is none", { timezone: "Mars/Olympus" }, "timezone", "is not a time zone"],
])("%s: the error is shown at its field, and the input is kept", async (_name, fields, field, sentence) => {
  const form = signUps(site);
  const page = await form.send({ address, fields: { tags: "rare", ...fields } });
  expect(page.statusCode).toBe(422);
  const told = new RegExp(`id="${field}-wrong"[^>]*>([^<]+)<`).exec(page.body);
  expect(told?.[1]).toContain(sentence);
  expect(page.body).toMatch(new RegExp(`aria-describedby="[^"]*${field}-wrong`));
  // Where the cursor stands when the page opens.
  expect(page.body.match(/<[^>]+ autofocus[^>]*>/g)).toEqual([expect.stringContaining(`id="${field}"`)]);
  if (!("tags" in fields)) expect(ticked(page.body)).toContain("rare");
  expect(page.body).toContain(
    `type="email" autocomplete="email" required maxlength="254" value="${fields["address"] ?? address}"`,
  );
  expect(await form.waiting()).toEqual([]);
  const json = await form.send({ address, json: true, fields: { all: "", ...fields, tags: fields["tags"] ?? "rare" } });
  if (field === "address") expect(json.json()).toMatchObject({ status: 422, details: { field } });
});

test("the sign-up request stores the form's page, tags, time zone and wording", async () => {
  const fields = { all: "", tags: "LG U+", timezone: "asia/seoul" };
  await signUps(site).send({ address, fields, headers: { referer: "https://news.example.com/" } });
  const row = await site.app.db.selectFrom("signups").selectAll().executeTakeFirstOrThrow();
  expect(row).toMatchObject({ timezone: "Asia/Seoul", form_url: "https://news.example.com/", all_tags: false });
  expect(row.tag_ids).toHaveLength(1);
  expect(row.wording_version).not.toBe("");
});

async function confirmLink(expires: Date): Promise<string> {
  const { db, options, clock } = site.app;
  const key = Buffer.alloc(16, expires.getTime() % 251);
  const consent = { subscriber_id: (await reader()).id, key, method: "form", wording: null, tags: ["rare"] };
  await db
    .insertInto("consents")
    .values({ ...consent, requested_at: clock.now() })
    .execute();
  return `/confirm/${expiringToken(options.secret, "confirm", key, expires)}`;
}

test("a confirmation page shows the tags, changes nothing before the button, and can be confirmed twice", async () => {
  const link = await confirmLink(later);
  const before = await reader();
  for (const method of ["GET", "HEAD"] as const)
    expect((await site.inject({ method, url: link })).statusCode).toBe(200);
  expect((await get(link)).body).toContain(textOf("confirm.submit"));
  expect(await reader()).toEqual(before);
  for (const time of [1, 2]) {
    const page = await post(link);
    expect(page.body, `time ${time}`).toContain(textOf("welcome.title"));
    expect(page.body).toContain(own);
    expect((await reader()).tags).toEqual(["rare"]);
  }
  expect((await get(link)).body).toContain(textOf("confirm.title_confirmed"));
  await site.app.db.updateTable("subscribers").set({ status: "unsubscribed" }).execute();
  expect((await post(link)).body).toContain(textOf("welcome.title_left"));
});

test("expired and forged links lead to pages with the next step", async () => {
  const expired = await confirmLink(new Date("2026-11-23T08:00:00Z"));
  for (const [url, status, heading] of [
    [expired, 410, "This link has expired"],
    [(await confirmLink(later)).replace(/[^/]+$/, forge), 404, "This link does not work"],
    ["/change-address/x", 404, "This link does not work"],
  ] as const) {
    for (const page of [await get(url), await post(url)]) {
      expect(page.statusCode).toBe(status);
      expect(page.body).toContain(`<h1>${heading}</h1>`);
      expect(page.body).toMatch(/<p><a href="\/(subscribe)?">/);
      expect(page.headers["cache-control"]).toBe("no-store");
    }
  }
  expect((await reader()).tags).toEqual(["lg u+"]);
});

test("a reader pauses, resumes and sets a time zone, and invalid choices are refused", async () => {
  const shown = async (answer: { headers: Record<string, unknown> }) =>
    (await get(String(answer.headers["location"]))).body;
  expect(await shown(await post(`${own}/pause`, { for: "month" }))).toContain(
    "Your emails are paused until Thursday 24 December.",
  );
  expect((await reader()).pausedUntil).toEqual(new Date("2026-12-24T08:00:00Z"));
  expect(await shown(await post(`${own}/pause`, { for: "none" }))).toContain("Resumed.");
  expect((await reader()).pausedUntil).toBeNull();
  expect(await shown(await post(`${own}/timezone`, { timezone: "Asia/Seoul" }))).toContain("Seoul time.");
  expect((await get(`${own}/timezone`)).body).toMatch(/value="Asia\/Seoul" selected/);
  for (const [path, fields] of [
    ["pause", { for: "ever" }],
    ["timezone", { timezone: "Mars/Olympus" }],
    ["", { tags: "x".repeat(61) }],
  ] as const) {
    const answer = await post(`${own}${path && `/${path}`}`, fields);
    expect([answer.statusCode, answer.body.includes('class="wrong"')]).toEqual([422, true]);
    expect(answer.body).toContain(`<h1>${textOf("form.wrong_title")}</h1>`);
    expect(answer.body).toContain(" autofocus");
  }
  expect(await reader()).toMatchObject({ timezone: "Asia/Seoul", tags: ["lg u+"], pausedUntil: null });
});

test("a reader's data is a JSON file, and erasure needs a confirmation", async () => {
  const file = await get(`${own}/data`);
  expect(file.headers).toMatchObject({
    "content-disposition": 'attachment; filename="my-data.json"',
    "cache-control": "no-store",
  });
  expect(file.json()).toMatchObject({ subscriber: { address, tags: ["lg u+"] } });
  const kept = textOf("erase.fingerprint");
  const asked = (await get(`${own}/erase`)).body;
  expect(asked).toContain(textOf("erase.what"));
  expect(asked).toContain(kept);
  expect(await reader()).not.toBeNull();
  const twice = await Promise.all([post(`${own}/erase`), post(`${own}/erase`)]);
  for (const { body } of twice) expect(body).not.toContain("dayletter");
  expect(twice.map(({ body }) => body).join()).toContain(textOf("erased.title"));
  expect(await reader()).toBeNull();
  expect((await get(own)).statusCode).toBe(410);
});

/** Every page that can be reached from `start` by its links and by sending its forms, with what each answered. */
async function crawl(start: string): Promise<Map<string, LightMyRequestResponse>> {
  const reached = new Map<string, LightMyRequestResponse>();
  const todo = [["GET", start] as const as ["GET" | "POST", string]];
  for (let step; (step = todo.shift()) !== undefined;) {
    const [method, url] = step;
    if (reached.has(step.join(" ")) || reached.size > 200) continue;
    const headers = { "content-type": "application/x-www-form-urlencoded" };
    const answer = await site.inject({ method, url, ...(method === "POST" ? { payload: "", headers } : {}) });
    reached.set(step.join(" "), answer);
    const { location } = answer.headers;
    if (typeof location === "string") todo.push(["GET", location]);
    if (!String(answer.headers["content-type"]).includes("html")) continue;
    for (const [, path] of answer.body.matchAll(/<a [^>]*href="(\/[^"#]*)/g)) todo.push(["GET", path!]);
    for (const [form] of answer.body.matchAll(/<form [^>]*>/g)) {
      const path = / action="([^"#]*)/.exec(form)?.[1] ?? url;
      todo.push([/ method="post"/.test(form) ? "POST" : "GET", path]);
    }
  }
  return reached;
}

test("nothing reachable from the List-Unsubscribe link opens the preferences or says which tags the reader follows", async () => {
  const { app } = site;
  const { key, id } = await reader();
  const header = ownLinks({ secret: app.options.secret, publicUrl: "" }, key).oneClick;
  const preferences = linkToken(app.options.secret, "preferences", key);
  const reached = await crawl(header);
  expect([...reached.keys()]).toEqual(
    expect.arrayContaining([`GET ${header}`, `POST ${header}`, `POST ${header}/undo`, `POST ${header}/settings`]),
  );
  for (const [step, answer] of reached) {
    expect(step).not.toMatch(/preferences|erase|address|data/);
    expect(`${step} ${JSON.stringify(answer.headers)} ${answer.body}`).not.toContain(preferences);
    expect(answer.body, step).not.toContain(address);
    // Other pages, such as the list of tags, are the same for everybody.
    if (step.includes(header)) expect(answer.body, step).not.toContain("lg u+");
  }
  for (const rest of ["/data", "/erase", "/address"]) expect((await get(header + rest)).statusCode).toBe(404);
  expect(await findSubscriber(app.db, id)).toMatchObject({ address });
  const sent = await app.db.selectFrom("notices").select(["kind", "address"]).execute();
  expect(sent).toEqual([{ kind: "settings", address }]);
});

test("a settings link is emailed to the stored address at most once an hour, and the answer reveals nothing", async () => {
  const { app } = site;
  const link = ownLinks({ secret: app.options.secret, publicUrl: "" }, (await reader()).key).oneClick;
  const kinds = async () => (await app.db.selectFrom("notices").select("kind").execute()).map(({ kind }) => kind);
  const first = await post(`${link}/settings`);
  const second = await post(`${link}/settings`);
  await app.db.updateTable("subscribers").set({ status: "suppressed" }).execute();
  const third = await post(`${link}/settings`);
  expect([first, second, third].map(({ statusCode }) => statusCode)).toEqual([200, 200, 200]);
  expect([second.body, third.body]).toEqual([first.body, first.body]);
  expect(await kinds()).toEqual(["settings"]);
  const foreign = await site.inject({
    method: "POST",
    url: `${link}/settings`,
    headers: { "sec-fetch-site": "cross-site" },
  });
  expect(foreign.statusCode).toBe(403);

  const [notice] = (await app.noticeLedger.claim({ count: () => 1 })).claimed;
  const compose = async () => composeNotice(app, await app.notices(), notice!);
  expect(await compose()).toHaveProperty("skip");
  await app.db.updateTable("subscribers").set({ status: "active" }).execute();
  const { text = "" } = await mailOf(await compose());
  expect(text).toContain(`https://alerts.example.com${own}`);
  await app.db.updateTable("subscribers").set({ address: "b@new.example", address_key: "b@new.example" }).execute();
  expect(await compose()).toHaveProperty("skip");
});

test.each([
  ["en", "24 November 2026"],
  ["de", "24. November 2026"],
  ["ko", "2026년 11월 24일"],
])(
  "the former mailbox hears of a new address, in %s, and gets neither it nor a way to the preferences",
  async (language, day) => {
    const { app } = site;
    const { id, key } = await reader();
    const change = { key: Buffer.alloc(16, 9), subscriber_id: id, address: "eve@evil.example.org" };
    await app.db
      .insertInto("address_changes")
      .values({ ...change, address_key: change.address, created_at: site.clock.now() })
      .execute();
    await post(`/change-address/${expiringToken(app.options.secret, "change-address", change.key, later)}`);
    expect((await findSubscriber(app.db, id))!.address).toBe(change.address);

    const [notice] = (await app.noticeLedger.claim({ count: () => 1 })).claimed;
    expect(notice).toMatchObject({ kind: "moved", address });
    const publication = { ...app.publication, language };
    const composed = await composeNotice({ ...app, publication }, await app.notices(), notice!);
    const mail = await mailOf(composed);
    const all = `${mail.subject} ${mail.text} ${String(mail.html)}`;
    expect(mail.text).toContain("e…@e….org");
    expect(mail.text).toContain(day);
    expect(mail.text).toContain("https://alerts.example.com/subscribe");
    expect(all).not.toMatch(/eve|evil|\/preferences\//);
    const { oneClick } = ownLinks(app.options, key);
    expect(mail.text).toContain(oneClick);
    expect(mail.headers.has("list")).toBe(false);
    await post(new URL(oneClick).pathname);
    expect((await findSubscriber(app.db, id))!.status).toBe("unsubscribed");
  },
);

test("the link of an erased reader is answered with 410 and never rate-limited", async () => {
  const link = `/unsubscribe/${linkToken(site.app.options.secret, "unsubscribe", (await reader()).key)}`;
  await post(`${own}/erase`);
  for (let n = 0; n < 40; n++) {
    const page = await post(link, { "List-Unsubscribe": "One-Click" });
    expect([page.statusCode, page.body.includes(textOf("error.reader_link_dead"))]).toEqual([410, true]);
  }
  expect((await get(own)).body).toContain(`<h1>${textOf("failure.410")}</h1>`);
  expect((await post(`${link.slice(0, -2)}AA`)).statusCode).toBe(404);
});

test("an address change works after the old mailbox has failed, but not after unsubscribing or a complaint", async () => {
  const { db, options, clock } = site.app;
  const { id } = await reader();
  const ask = async (key: Buffer) => {
    const change = { key, subscriber_id: id, address: "ada@new.example", address_key: "ada@new.example" };
    await db
      .insertInto("address_changes")
      .values({ ...change, created_at: clock.now() })
      .execute();
    return `/change-address/${expiringToken(options.secret, "change-address", key, later)}`;
  };
  const now = async () => {
    const found = (await findSubscriber(db, id))!;
    return `${found.address} ${found.status}`;
  };
  await unsubscribe(db, id, clock.now());
  const left = await post(await ask(Buffer.alloc(16, 1)));
  expect([left.statusCode, await now()]).toEqual([409, "ada@example.com unsubscribed"]);
  expect(left.body).toContain(textOf("error.change_unsubscribed"));

  await db.updateTable("subscribers").set({ status: "suppressed" }).execute();
  const entry = { addressKey: address, detail: null, now: clock.now() };
  await suppress(db, options.secret, { ...entry, reason: "bounce" });
  const moved = await post(await ask(Buffer.alloc(16, 2)));
  expect([moved.statusCode, await now()]).toEqual([200, "ada@new.example active"]);

  await db.updateTable("subscribers").set({ address, address_key: address, status: "suppressed" }).execute();
  await suppress(db, options.secret, { ...entry, reason: "complaint" });
  const complained = await post(await ask(Buffer.alloc(16, 3)));
  expect([complained.statusCode, await now()]).toEqual([403, "ada@example.com suppressed"]);
  await db.deleteFrom("suppressions").execute();
});

test("the personal data includes sample copies, and erasure removes the address everywhere", async () => {
  const { db, clock } = site.app;
  await addNotice(db, { kind: "sample", subscriberId: null, address: "Ada@example.com" }, clock.now());
  const other = await addSubscriber(site.app, {
    address: "bob@example.com",
    tags: [],
    allTags: true,
    confirmed: true,
    actor: "test",
  });
  await changeAddress({ ...site.app, mayMail: async () => true }, other.id, address, null);
  expect((await get(`${own}/data`)).json()).toMatchObject({ otherMails: [{ kind: "sample" }] });
  await post(`${own}/erase`);
  const { rows } = await sql<{ name: string }>`
    select table_name as name from information_schema.tables where table_schema = 'public' and table_type = 'BASE TABLE'
  `.execute(db);
  expect(rows.length).toBeGreaterThan(20);
  for (const { name } of rows) {
    const found = await sql`select * from ${sql.table(name)} t where t::text ilike '%ada@example.com%'`.execute(db);
    expect(found.rows, name).toEqual([]);
  }
});

test("a request that is not a form is answered with a page, or with a problem document for JSON clients", async () => {
  const send = (headers: Record<string, string>, payload: string) =>
    site.inject({ method: "POST", url: "/subscribe", headers, payload });
  const page = await send({ "content-type": "text/xml" }, "<a/>");
  expect([page.statusCode, page.headers["content-type"]]).toEqual([415, "text/html; charset=utf-8"]);
  expect(page.body).toContain(textOf("failure.not_a_form"));
  for (const [status, headers, payload] of [
    [400, { "content-type": "application/json" }, "{"],
    [413, { "content-type": "application/json" }, JSON.stringify("a".repeat(1_100_000))],
    [415, { "content-type": "text/xml", accept: "application/json" }, "<a/>"],
  ] as const) {
    const answer = await send(headers, payload);
    expect(answer.statusCode).toBe(status);
    expect(answer.headers["content-type"]).toMatch(/^application\/problem\+json/);
    expect(answer.headers["access-control-allow-origin"]).toBe("*");
  }
  const json = { "content-type": "application/json" };
  const empty = { address: "cy@example.com", allTags: true, website: null, altcha: null };
  expect((await send(json, JSON.stringify(empty))).statusCode).toBe(200);
  expect(await signUps(site).waiting()).toEqual(["cy@example.com"]);
});

test("a new address is confirmed by email, and other sites cannot request a change", async () => {
  const page = await get(`${own}/address`);
  const t = / name="t" value="([^"]+)"/.exec(page.body)![1]!;
  site.clock.at = new Date(site.clock.at.getTime() + 10_000);
  expect((await post(`${own}/address`, { address: "no", t })).body).toMatch(/aria-describedby="address-wrong"/);
  expect((await post(`${own}/address`, { address: "ada@new.example", t })).body).toContain(
    "Check the inbox of your new address",
  );
  const { address: asked, key } = await site.app.db.selectFrom("address_changes").selectAll().executeTakeFirstOrThrow();
  expect(asked).toBe("ada@new.example");
  const link = `/change-address/${expiringToken(site.app.options.secret, "change-address", key, later)}`;
  expect((await get(link)).body).toContain(textOf("change.submit"));
  expect((await reader()).address).toBe(address);
  const answers = await Promise.all([post(link), post(link)]);
  expect(answers.map(({ statusCode }) => statusCode).toSorted((a, b) => a - b)).toEqual([200, 404]);
  expect(answers.map(({ body }) => body).join()).toContain(textOf("change.title_done"));
  expect(await findByAddress(site.app.db, "ada@new.example")).not.toBeNull();
  const foreign = await site.inject({
    method: "POST",
    url: `${own}/erase`,
    headers: { "sec-fetch-site": "cross-site" },
  });
  expect(foreign.statusCode).toBe(403);
});

test.each(["user@localhost", "mina@gmail", "ada@[127.0.0.1]"])("%s is refused everywhere", async (wrong) => {
  const { app } = site;
  const before = await app.db.selectFrom("subscribers").select("address").execute();
  const json = { "content-type": "application/json" };
  const t = formTime(app.options.secret, new Date(site.clock.at.getTime() - 60_000));
  const consent = { confirmed: true, consent: { method: "test" } };
  const answers = [
    await post("/subscribe", { address: wrong, all: "1", t }),
    await site.inject({
      method: "POST",
      url: "/subscribe",
      headers: json,
      payload: { address: wrong, allTags: true, t },
    }),
    await post("/sample", { address: wrong, t }),
    await post(`${own}/address`, { address: wrong, t }),
    await site.api("POST", "/subscribers", { address: wrong, allTags: true }),
    await site.api("POST", "/subscribers", { address: wrong, allTags: true, ...consent }),
  ];
  for (const answer of answers) {
    expect(answer.statusCode).toBe(422);
    expect(answer.body).toMatch(/name@example\.com/);
  }
  const list = await site.inject({
    method: "POST",
    url: "/api/v1/subscribers/import?confirmed",
    headers: { authorization: `Bearer ${token}`, "content-type": "text/csv" },
    payload: `address,all_tags\nfine@example.org,yes\n${wrong},yes\n`,
  });
  expect(list.json()).toMatchObject({ added: 1, refused: [{ line: 3, reason: expect.stringContaining(wrong) }] });
  const after = await app.db.selectFrom("subscribers").select("address").execute();
  expect(after.map(({ address: one }) => one)).toEqual([...before.map(({ address: one }) => one), "fine@example.org"]);
  expect(await signUps(site).waiting()).toEqual([]);
});
