import { afterAll, beforeAll, expect, test } from "vitest";
import { deliverSlice } from "../../../src/deliveries/deliver-slice.ts";
import { article, openWeb, token, type OpenWeb } from "./open.ts";
import { textOf } from "../../support/text.ts";

let site: OpenWeb;
const ids = new Map<string, number>();

/** One edition that went out to two of five readers. */
beforeAll(async () => {
  site = await openWeb({ SEND_AT: "06:00" });
  await site.api("POST", "/articles", [
    article(1, ["huawei", "lg u+"]),
    article(2, ["lg u+"]),
    article(3, ["5g"]),
  ] as never);
  const add = async (name: string, tags: string[], more: object = {}) => {
    const confirmed = { confirmed: true, consent: { method: "phone" }, ...more };
    const answer = await site.api("POST", "/subscribers", { address: `${name}@example.com`, tags, ...confirmed });
    ids.set(name, answer.json().id);
  };
  await add("ada", ["lg u+"]);
  await add("bo", [], { allTags: true });
  await add("cy", ["huawei"], { confirmed: false, consent: undefined });
  await site.api("POST", "/articles", article(4, ["satellites"], { publishedAt: "2020-01-01T00:00:00Z" }));
  await add("dee", ["satellites"]);
  await site.api("POST", "/suppressions", { address: "gone@example.org", reason: "complaint" });
  const { name } = (await site.api("POST", "/editions")).json();
  const { id } = await site.app.db.selectFrom("editions").select("id").executeTakeFirstOrThrow();
  await site.render(id);
  await deliverSlice(site.app, { editionId: id, slice: 0 }, AbortSignal.timeout(10_000));
  site.clock.at = new Date("2026-11-24T09:00:00Z");
  await add("eve", ["huawei"]);
  expect(name).toBe("2026-11-24");
  const bo = { state: "rejected", reply: "=550 5.7.1 no, 100%" } as const;
  await site.app.db.updateTable("deliveries").set(bo).where("subscriber_id", "=", ids.get("bo")!).execute();
});
afterAll(() => site.close());

const why = async (who: string | number, date = "") => (await site.api("GET", `/subscribers/${who}/why${date}`)).json();
const lookUp = (address: string) => site.api("POST", "/subscribers/lookup", { address });

test.each<[string, string, RegExp, number]>([
  ["ada", "sent", /2026-11-24 08:00 UTC/, 2],
  ["bo", "rejected", /=550 5\.7\.1 no, 100%$/, 3],
  ["cy", "not-confirmed", /2026/, 0],
  ["dee", "no-match", /satellites/, 0],
  ["eve", "not-signed-up", /2026-11-24 09:00 UTC/, 0],
])("%s: %s", async (name, code, sentence, articles) => {
  const byId = await why(String(ids.get(name)));
  expect(byId).toMatchObject({ date: "2026-11-24", code, sentence: expect.stringMatching(sentence) });
  expect(byId.editions).toMatchObject([{ edition: "2026-11-24", code, sentence: byId.sentence }]);
  expect(byId.editions[0].articles).toHaveLength(articles);
  const { id } = (await lookUp(`${name.toUpperCase()}@example.com`)).json();
  expect(await why(id, "?date=2026-11-24.1")).toEqual(byId);
});

test("the longest possible address can be looked up", async () => {
  const address = `${"l".repeat(60)}@${"d".repeat(60)}.${"e".repeat(60)}.example.org`;
  const consent = { method: "phone" };
  const added = await site.api("POST", "/subscribers", { address, allTags: true, confirmed: true, consent });
  expect(added.statusCode).toBe(201);
  expect((await lookUp(address)).json()).toMatchObject({ id: added.json().id, address });
  await site.api("DELETE", `/subscribers/${added.json().id}?erase`);
});

test("the explanation names the tags of each article, and says why there was no edition or no reader", async () => {
  const [edition] = (await why(ids.get("ada")!)).editions;
  expect(edition.articles.map((one: { because: string[] }) => one.because)).toEqual([["lg u+"], ["lg u+"]]);
  expect(await why(ids.get("ada")!, "?date=2026-11-25")).toMatchObject({
    editions: [],
    code: "not-due",
    sentence: textOf("why.not-due", { edition: "2026-11-25", at: "2026-11-25 06:00 UTC" }),
  });
  expect(await why(ids.get("ada")!, "?date=2026-11-24.7")).toMatchObject({ status: 404 });
  expect((await lookUp("stranger@example.com")).json()).toMatchObject({
    status: 404,
    detail: textOf("error.address_unknown"),
  });
  expect((await lookUp("Gone@example.org")).json()).toMatchObject({
    status: 404,
    detail: textOf("error.address_unknown_suppressed", { reason: "complaint" }),
  });
  expect((await lookUp("nobody")).statusCode).toBe(422);
  expect(await why("ada@example.com")).toMatchObject({ status: 422 });
  expect(await why("4711")).toMatchObject({ status: 404, detail: textOf("error.subscriber_not_found", { id: 4711 }) });
});

test("deliveries are found by state, domain and reply, counted by domain, and exported without spreadsheet formulas", async () => {
  const ledger = "/editions/2026-11-24/deliveries";
  const found = async (query: string) =>
    (await site.api("GET", `${ledger}?${query}`)).json().deliveries.map((one: { address: string }) => one.address);
  expect(await found("state=rejected")).toEqual(["bo@example.com"]);
  expect(await found("domain=EXAMPLE.com&state=sent")).toEqual(["ada@example.com"]);
  expect(await found("domain=example.org")).toEqual([]);
  const searched = async (search: object) =>
    (await site.api("POST", `${ledger}/search`, search)).json().deliveries.map((one: { id: number }) => one.id);
  const [bo] = await searched({ state: "rejected" });
  expect(await searched({ reply: "5.7.1 NO" })).toEqual([bo]);
  expect(await searched({ reply: "5_7_1" })).toEqual([]);
  expect(await searched({ reply: "100%" })).toEqual([bo]);
  for (const query of ["reply=100%25", "domain=ada%40example.com"]) {
    expect((await site.api("GET", `${ledger}?${query}`)).statusCode).toBe(422);
  }
  expect((await site.api("GET", `${ledger}/domains`)).json().domains).toEqual([
    { domain: "example.com", state: "rejected", count: 1 },
    { domain: "example.com", state: "sent", count: 1 },
  ]);
  const csv = await site.api("GET", `${ledger}/export?state=rejected`);
  expect((await site.api("POST", `${ledger}/export`, { reply: "5.7.1" })).body).toBe(csv.body);
  expect(csv.headers["content-disposition"]).toBe('attachment; filename="deliveries-2026-11-24.csv"');
  const [head, row, ...rest] = csv.body.trimEnd().split("\n");
  expect(head).toBe(
    '"id","state","address","domain","attempts","articles","settled_at","due_at","reply","code","detail"',
  );
  expect(row).toMatch(
    /^"\d+","rejected","bo@example\.com","example\.com","1","3","2026-11-24T08:00:00\.000Z","","'=550 5\.7\.1 no, 100%","","'=550 5\.7\.1 no, 100%"$/,
  );
  expect(rest).toEqual([]);
});

test("/metrics answers a valid token, and this machine if the publication has no public address", async () => {
  const scrape = (more: object) => site.inject({ method: "GET", url: "/metrics", ...more });
  const authorization = `Bearer ${token}`;
  const here = await scrape({ headers: { authorization } });
  expect(here.headers["content-type"]).toBe("text/plain; version=0.0.4; charset=utf-8");
  expect(here.body.split("\n")).toEqual(
    expect.arrayContaining([
      'dayletter_edition_info{edition="2026-11-24",state="sending"} 1',
      'dayletter_edition_deliveries{state="sent"} 1',
      'dayletter_edition_deliveries{state="rejected"} 1',
      "dayletter_edition_lag_seconds 3600",
      'dayletter_queue_jobs{queue="editions",state="failed"} 0',
      'dayletter_subscribers{status="active"} 4',
      'dayletter_measured{part="queue"} 1',
      "dayletter_alerts 0",
    ]),
  );
  expect(here.body).toMatch(
    /^dayletter_event_loop_delay_seconds\{role="test",host="[^"]+",quantile="0\.99"\} [\d.e-]+$/m,
  );
  expect(here.body).not.toContain("@");
  const local = { headers: { host: "127.0.0.1:3000" } };
  expect((await scrape(local)).statusCode).toBe(401);
  const other = await openWeb({ PUBLIC_URL: "http://[::1]:3000" });
  try {
    const answers = (more: object) => other.inject({ method: "GET", url: "/metrics", ...more });
    expect((await answers(local)).statusCode).toBe(200);
    expect((await answers({ ...local, remoteAddress: "192.0.2.9" })).statusCode).toBe(401);
    expect((await answers({ headers: { host: "alerts.example.com" } })).statusCode).toBe(401);
  } finally {
    await other.close();
  }
});
