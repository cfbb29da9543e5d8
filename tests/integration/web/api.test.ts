import { afterAll, beforeAll, expect, test } from "vitest";
import { addFeeds } from "../../../src/sources/store.ts";
import { article, openWeb, token, type OpenWeb } from "./open.ts";
import { textOf } from "../../support/text.ts";

let site: OpenWeb;
beforeAll(async () => {
  site = await openWeb();
});
afterAll(() => site.close());

const auth = { authorization: `Bearer ${token}` };
const problem = "application/problem+json";

test.each([
  [{}, "authentication_required"],
  [{ authorization: "Basic YTpi" }, "authentication_required"],
  [{ authorization: "Bearer wrong" }, "token_invalid"],
] as const)(
  "a request with the headers %j is refused, and the answer says how to send a token",
  async (headers, code) => {
    const answer = await site.inject({ method: "GET", url: "/api/v1/status", headers });
    expect(answer.statusCode).toBe(401);
    expect(answer.headers["content-type"]).toContain(problem);
    expect(answer.headers["www-authenticate"]).toContain("Bearer");
    expect(answer.json()).toMatchObject({ status: 401, title: "Unauthorized", code, detail: textOf(`error.${code}`) });
  },
);

const json = { ...auth, "content-type": "application/json" };

test.each([
  ["GET", "/nothing", {}, undefined, 404, "api_address_not_found"],
  ["GET", "/%", {}, undefined, 400, "url_invalid"],
  ["PUT", "/status", auth, undefined, 405, "method_not_allowed"],
  ["POST", "/sources", json, "{", 400, "body_not_json"],
  ["POST", "/sources", json, "", 400, "body_empty"],
  ["POST", "/sources", { ...auth, "content-type": "application/xml" }, "<a/>", 415, "media_type_unsupported"],
  ["POST", "/sources", json, `"${"x".repeat(2_000_000)}"`, 413, "body_too_large"],
  ["POST", "/sources", auth, undefined, 422, "request_invalid"],
  ["POST", "/subscribers/import", json, "{}", 415, "media_type_unsupported"],
  ["POST", "/subscribers/import", auth, undefined, 422, "request_invalid"],
] as const)("%s %s is answered with a problem document (%#)", async (method, path, headers, payload, status, code) => {
  const answer = await site.inject({
    method,
    url: `/api/v1${path}`,
    headers,
    ...(payload === undefined ? {} : { payload }),
  });
  expect(answer.json()).toMatchObject({ type: "about:blank", status, code });
  expect(answer.statusCode).toBe(status);
  expect(answer.headers["content-type"]).toContain(problem);
  if (status === 405) expect(answer.headers["allow"]).toContain("GET");
});

test.each([
  ["GET", "/articles?limit=none", undefined, "limit", "wrong_type"],
  ["GET", "/articles?limit=0", undefined, "limit", "too_small"],
  ["GET", "/articles?lmit=1", undefined, "", "unknown_fields"],
  ["POST", "/articles", { ...article(1, []), colour: "red" }, "", "unknown_fields"],
  ["POST", "/articles", [article(1, []), { url: "https://a.example/" }], "[1].title", "missing"],
  ["POST", "/articles", article(1, [], { publishedAt: "yesterday" }), "publishedAt", "wrong_format"],
  ["GET", "/editions/2026-11-24/deliveries?state=lost", undefined, "state", "not_a_choice"],
  ["POST", "/subscribers", { address: "a@example.com", tags: "huawei" }, "tags", "wrong_type"],
  ["POST", "/tags/merge", { from: "a" }, "into", "missing"],
  ["POST", "/subscribers/import", undefined, "", "not_a_list"],
] as const)("%s %s names the wrong field (%#)", async (method, path, body, field, code) => {
  const answer = await site.api(method, path, body);
  const { sentence } = answer.json().details.faults[0];
  expect(answer.json()).toMatchObject({
    status: 422,
    code: "request_invalid",
    detail: textOf("error.request_invalid", { reason: sentence }),
    details: { faults: [{ field, code }] },
  });
});

test.each([
  ["GET", "/articles?tag=nobody", undefined, "tag_unknown"],
  ["POST", "/articles", article(1, [], { url: "javascript:alert(1)" }), "feed_item_link_invalid"],
  ["POST", "/articles", article(1, ["x".repeat(200)]), "feed_item_tag_invalid"],
  ["POST", "/sources", { url: "nonsense" }, "feed_address_invalid"],
  ["POST", "/editions", { date: "2026-02-30" }, "date_invalid"],
  ["POST", "/editions", { date: "2026-11-25" }, "date_not_today"],
  ["GET", "/editions/today", undefined, "edition_name_invalid"],
  ["PUT", "/schedule", { sendAt: "25:00" }, "time_invalid"],
  ["PUT", "/schedule", { timezone: "Mars" }, "timezone_invalid"],
  ["PUT", "/schedule", { timezone: "" }, "timezone_invalid"],
  ["PUT", "/schedule", { sendDays: "someday" }, "days_invalid"],
  ["PUT", "/schedule/skip/2026-13-01", undefined, "date_invalid"],
  ["POST", "/subscribers", { address: "nobody", allTags: true }, "address_invalid"],
  ["POST", "/subscribers", { address: "a@example.com" }, "nothing_followed"],
] as const)("%s %s is refused with a code (%#)", async (method, path, body, code) => {
  const answer = await site.api(method, path, body);
  expect(answer.json()).toMatchObject({ status: 422, code });
});

test("the cause of an unexpected failure is in the log but not in the answer", async () => {
  const { db } = site.app;
  await db.schema.alterTable("skipped_dates").renameTo("elsewhere").execute();
  const answer = await site.api("GET", "/schedule");
  await db.schema.alterTable("elsewhere").renameTo("skipped_dates").execute();
  expect(answer.statusCode).toBe(500);
  expect(answer.body).not.toContain("skipped_dates");
  expect(site.errors).toContainEqual(
    expect.objectContaining({ route: "/api/v1/schedule", reason: expect.stringContaining("skipped_dates") }),
  );
});

test("articles are added once, each with its own result and as plain text, and can be hidden", async () => {
  const first = {
    ...article(1, ["LG U+", "Huawei"]),
    guid: "g1",
    title: "<b>R&amp;D</b> at LG U+",
    origin: { name: "JoongAng" },
  };
  const given = [first, article(2, ["Korea"]), { ...article(3, []), url: "ftp://x.example/" }, article(4, ["Korea"])];
  const outcomes = async (body: object) =>
    (await site.api("POST", "/articles", body)).json().articles as { outcome: string }[];
  expect((await outcomes(given)).map((one) => one.outcome)).toEqual(["added", "added", "refused", "added"]);
  expect((await outcomes(given)).map((one) => one.outcome)).toEqual(["unchanged", "unchanged", "refused", "unchanged"]);
  expect((await outcomes(article(2, ["lte"])))[0]).toMatchObject({ outcome: "updated" });

  const { articles } = (await site.api("GET", "/articles?tag=lg%20u%2B")).json();
  expect(articles).toMatchObject([
    { title: "R&D at LG U+", tags: ["LG U+", "Huawei"], origin: "JoongAng", status: "next_edition" },
  ]);
  const id = (await site.api("GET", "/articles?limit=1")).json().articles[0].id as number;
  expect((await site.api("POST", `/articles/${id}/hide`)).json()).toEqual({ id, hidden: true });
  expect((await site.api("GET", "/articles?unclaimed")).json().articles).toHaveLength(2);
  expect((await site.api("POST", "/articles/999/hide")).statusCode).toBe(404);
});

test("of two simultaneous removals of a feed one gets 404, and the API's own source cannot be removed", async () => {
  const { db, clock } = site.app;
  const [id] = await addFeeds(db, [{ url: "https://feed.example/?key=secret" }], clock.now());
  const answers = await Promise.all([1, 2].map(() => site.api("DELETE", `/sources/${id}`)));
  expect(answers.map(({ statusCode }) => statusCode).toSorted((a, b) => a - b)).toEqual([200, 404]);
  const logged = await db.selectFrom("audit").select("subject").where("action", "=", "source remove").execute();
  expect(logged).toHaveLength(1);
  expect(logged[0]!.subject).not.toContain("secret");
  const { sources } = (await site.api("GET", "/sources")).json();
  expect(sources).toMatchObject([{ kind: "api" }]);
  const own = await site.api("DELETE", `/sources/${sources[0].id}`);
  expect([own.statusCode, own.json().detail]).toEqual([409, textOf("error.source_not_removable")]);
});

test("tags are listed, merged and given other spellings", async () => {
  await site.api("POST", "/articles", article(5, ["hwawei"]));
  expect((await site.api("POST", "/tags/merge", { from: "hwawei", into: "Huawei" })).statusCode).toBe(200);
  expect((await site.api("POST", "/tags/alias", { alias: "화웨이", tag: "huawei" })).statusCode).toBe(200);
  expect((await site.api("POST", "/tags/alias", { alias: "Korea", tag: "huawei" })).statusCode).toBe(409);
  const { tags } = (await site.api("GET", "/tags")).json();
  expect(tags).toContainEqual({
    name: "Huawei",
    aliases: ["hwawei", "화웨이"],
    articles: 2,
    readers: 0,
    hiddenAt: null,
    revision: expect.any(Number),
  });
  expect((await site.api("GET", `/articles?tag=${encodeURIComponent("화웨이")}`)).json().articles).toHaveLength(2);
});

test("the next edition can be previewed in every format and for some tags, without claiming articles", async () => {
  const look = (query: string) => site.api("GET", `/editions/next/preview${query}`);
  const html = await look("?tags=huawei");
  expect(html.headers["content-type"]).toContain("text/html");
  expect(html.headers["content-security-policy"]).toContain("sandbox");
  expect(html.body).toContain("R&amp;D at LG U+");
  expect(html.body).not.toContain("Headline 2");
  expect((await look("?as=text&tags=korea&tags=lg%20u%2B")).body).toContain("Headline 2");
  expect((await look("?as=eml")).body).toMatch(/^From: /);
  expect((await look("?tags=nonsense")).statusCode).toBe(422);
  expect((await site.api("GET", "/status")).json().waiting).toBe(3);
});

test("subscribers are added, listed in pages and unsubscribed", async () => {
  const add = (address: string, more: object) =>
    site.api("POST", "/subscribers", { address, confirmed: true, consent: { method: "test" }, ...more });
  const ada = (await add("ada@example.com", { tags: ["huawei"] })).json();
  expect(ada).toMatchObject({ address: "ada@example.com", status: "active", tags: ["Huawei"] });
  expect(ada).not.toHaveProperty("key");
  expect((await add("ada@example.com", { allTags: true })).statusCode).toBe(409);
  await add("bo@example.com", { allTags: true });
  await add("cy@example.com", { tags: ["korea"], confirmed: false });
  const page = (await site.api("GET", "/subscribers?limit=2")).json();
  expect(page.subscribers.map((one: { address: string }) => one.address)).toEqual([
    "ada@example.com",
    "bo@example.com",
  ]);
  expect((await site.api("GET", `/subscribers?after=${page.next}&status=pending`)).json().subscribers).toHaveLength(1);
  const gone = (await add("dee@example.com", { allTags: true })).json();
  expect((await site.api("DELETE", `/subscribers/${gone.id}`)).json()).toMatchObject({ status: "unsubscribed" });
  expect((await site.api("DELETE", `/subscribers/${gone.id}`)).statusCode).toBe(200);
  expect((await site.api("DELETE", "/subscribers/999")).statusCode).toBe(404);
});

test("an edition is sent once a day, shown with its balance, paused, resumed and cancelled", async () => {
  const sent = await site.api("POST", "/editions", {});
  expect(sent.statusCode).toBe(201);
  expect(sent.headers["location"]).toBe("/api/v1/editions/2026-11-24");
  expect(sent.json()).toMatchObject({
    name: "2026-11-24",
    state: "opening",
    selected: 2,
    balance: { pending: 2, unknown: 0 },
  });
  const second = await site.api("POST", "/editions");
  expect(second.json()).toMatchObject({ status: 409, details: { state: "opening" } });
  expect((await site.api("POST", "/editions/2026-11-24/pause")).json()).toMatchObject({
    status: 409,
    details: { allowed: ["cancel"] },
  });

  await site.render(1);
  const pause = () => site.api("POST", "/editions/2026-11-24/pause", { reason: "a wrong headline" });
  expect((await pause()).json()).toMatchObject({
    changed: true,
    edition: {
      state: "paused",
      reason: "a wrong headline",
      reasonCode: "other",
      reasonData: { text: "a wrong headline" },
    },
  });
  expect((await pause()).json()).toMatchObject({ changed: false, edition: { state: "paused" } });
  const before = await site.app.queues.editions.getJobCounts();
  expect((await site.api("POST", "/editions/2026-11-24/resume")).json()).toMatchObject({
    changed: true,
    edition: { state: "sending" },
  });
  const after = await site.app.queues.editions.getJobCounts();
  expect(after["waiting"]! - before["waiting"]!).toBe(1);

  const detail = (await site.api("GET", "/editions/2026-11-24")).json();
  expect(detail.sentence).toContain("selected 2 = ");
  expect(detail.articles).toHaveLength(3);
  expect((await site.api("GET", "/editions")).json().editions).toMatchObject([{ name: "2026-11-24", articleCount: 3 }]);
  expect((await site.api("GET", "/editions/2026-11-24/preview?tags=korea&as=text")).body).toContain("Headline 2");
  const deliveries = (await site.api("GET", "/editions/2026-11-24/deliveries?state=pending&limit=1")).json();
  expect(deliveries).toMatchObject({ deliveries: [{ address: "ada@example.com", state: "pending", articles: 2 }] });
  expect(
    (await site.api("GET", `/editions/2026-11-24/deliveries?after=${deliveries.next}`)).json().deliveries,
  ).toHaveLength(1);
  expect((await site.api("POST", "/editions/2026-11-24/cancel")).json()).toMatchObject({ changed: true, affected: 2 });
  expect((await site.api("POST", "/editions/2026-11-25/cancel")).statusCode).toBe(404);
  expect((await site.api("POST", "/editions/2026-11-24/explode")).statusCode).toBe(404);
});

test("the schedule is changed, reset to the settings and skips dates, and dates with an edition are not listed as next", async () => {
  expect((await site.api("GET", "/schedule")).json()).toMatchObject({
    timezone: "UTC",
    sendAt: "07:00",
    sendDays: "mon,tue,wed,thu,fri,sat,sun",
    next: [{ date: "2026-11-25", at: "2026-11-25T07:00:00.000Z" }, {}, {}, {}, {}],
  });
  const changed = (
    await site.api("PUT", "/schedule", { timezone: "europe/berlin", sendAt: "9:30", sendDays: "mon-fri" })
  ).json();
  expect(changed).toMatchObject({ timezone: "Europe/Berlin", sendAt: "09:30", sendDays: "mon,tue,wed,thu,fri" });
  // Today's 09:30 is still to come, but today has its edition.
  expect(changed.next[0]).toMatchObject({ date: "2026-11-25", at: "2026-11-25T08:30:00.000Z" });
  expect((await site.api("PUT", "/schedule/skip/2026-11-25")).json()).toMatchObject({
    skipped: ["2026-11-25"],
    next: [{ date: "2026-11-26" }, {}, {}, {}, {}],
  });
  expect((await site.api("DELETE", "/schedule/skip/2026-11-25")).json()).toMatchObject({ skipped: [] });
  expect((await site.api("PUT", "/schedule", { timezone: null, sendAt: null, sendDays: null })).json()).toMatchObject({
    timezone: "UTC",
    sendAt: "07:00",
  });
});

test("too many wrong tokens are rate-limited, and a valid token never is", async () => {
  const wrong = () =>
    site.inject({
      method: "GET",
      url: "/api/v1/status",
      headers: { authorization: "Bearer wrong" },
      remoteAddress: "192.0.2.1",
    });
  const answers = await Promise.all(Array.from({ length: 40 }, wrong));
  const held = answers.filter((answer) => answer.statusCode === 429);
  expect(held.length).toBeGreaterThan(5);
  expect(Number(held[0]!.headers["retry-after"])).toBeGreaterThan(0);
  expect(
    (await site.inject({ method: "GET", url: "/api/v1/status", headers: auth, remoteAddress: "192.0.2.1" })).statusCode,
  ).toBe(200);
});

test("a request creates at most 500 new tags, and names those that each article did not get", async () => {
  const tags = (n: number) => Array.from({ length: 30 }, (_, i) => `new ${n}-${i}`);
  const given = Array.from({ length: 18 }, (_, n) => article(100 + n, tags(n)));
  const take = async (): Promise<string[][]> =>
    (await site.api("POST", "/articles", given))
      .json()
      .articles.map((one: { leftOutTags: string[] }) => one.leftOutTags);
  const [last, ...before] = (await take()).toReversed();
  expect(before[0]).toEqual(tags(16).slice(20));
  expect(last).toEqual(tags(17));
  expect((await take()).flat()).toEqual([]);
});

test("a body with more than 100,000 values is refused before it is parsed", async () => {
  const give = (payload: string) =>
    site.inject({
      method: "POST",
      url: "/api/v1/articles",
      headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
      payload,
    });
  expect((await give(`[${"{},".repeat(120_000)}{}]`)).statusCode).toBe(413);
  expect((await give("[".repeat(120_000))).statusCode).toBe(413);
  // What stands within a text is no value.
  const nested = JSON.stringify({ ...article(900, []), summary: '[{",\\"'.repeat(12_000) });
  expect((await give(nested)).statusCode).toBe(200);
  const keys = Object.fromEntries(Array.from({ length: 5_000 }, (_, i) => [`unknown${i}`, 0]));
  const refused = await give(JSON.stringify({ ...article(901, []), ...keys }));
  expect([refused.statusCode, refused.body.length < 5_000]).toEqual([422, true]);
});
