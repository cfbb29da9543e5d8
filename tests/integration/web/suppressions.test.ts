import { sql } from "kysely";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { listAudit } from "../../../src/audit/audit.ts";
import { listSuppressions } from "../../../src/subscribers/suppression-search.ts";
import { suppress } from "../../../src/subscribers/suppressions.ts";
import { findByAddress } from "../../../src/subscribers/store.ts";
import { handedOver } from "../../support/handed-over.ts";
import { addAllNewsReaders } from "../../support/readers.ts";
import { signIn } from "../../support/sign-in.ts";
import { textOf } from "../../support/text.ts";
import { openWeb, type OpenWeb } from "./open.ts";

let site: OpenWeb;
beforeAll(async () => {
  site = await openWeb();
});
afterAll(() => site.close());
beforeEach(async () => {
  site.clock.at = new Date("2026-11-24T20:00:00Z");
  await sql`truncate editions, articles, subscribers, suppressions, audit restart identity cascade`.execute(
    site.app.db,
  );
});

interface Listed {
  suppressions: { address: string | null; reason: string; edition: string | null; source: string | null }[];
  next: string | null;
}
const list = async (query = "") => (await site.api("GET", `/suppressions${query}`)).json<Listed>();
const addresses = async (query: string) => (await list(query)).suppressions.map(({ address }) => address ?? "");
const counts = async (query = "") => (await site.api("GET", `/suppressions/counts${query}`)).json<{ counts: object }>();
const status = async (address: string) => (await findByAddress(site.app.db, address))!.status;
const removeAll = (body: object) => site.api("POST", "/suppressions/remove", body);

/** Two editions, with two bounces and one complaint about the first, and one bounce of the second. */
async function twoEditions(): Promise<void> {
  await addAllNewsReaders(
    site.app,
    [1, 2, 3, 4, 5].map((n) => `r${n}@example.org`),
  );
  await handedOver(site.app);
  const report = (lines: object[]) => site.api("POST", "/outcomes", lines);
  const bounced = { outcome: "bounced", code: "5.1.1", text: "no such user" };
  await report([
    { ...bounced, address: "r1@example.org" },
    { ...bounced, address: "r2@example.org" },
    { address: "r3@example.org", outcome: "complained" },
  ]);
  site.clock.at = new Date("2026-11-25T00:00:00Z");
  await handedOver(site.app);
  await report([{ ...bounced, address: "r4@example.org" }]);
  await site.api("POST", "/suppressions", { address: "nobody@example.org", reason: "asked by phone" });
}

test("suppressions are found by reason, edition and date, with where they come from", async () => {
  await twoEditions();
  expect((await list("?reason=bounce")).suppressions.at(-1)).toMatchObject({
    edition: "2026-11-24",
    source: "api",
    detail: "5.1.1 no such user",
  });
  const bounce = (address: string) => `${address}@example.org`;
  expect((await addresses("?reason=bounce")).toSorted()).toEqual(["r1", "r2", "r4"].map(bounce));
  expect((await addresses("?reason=bounce&edition=2026-11-24")).toSorted()).toEqual(["r1", "r2"].map(bounce));
  expect((await addresses("?since=2026-11-25")).toSorted()).toEqual(["", "r4@example.org"]);
  expect(await addresses("?until=2026-11-24&reason=complaint")).toEqual(["r3@example.org"]);
  expect(await addresses("?reason=other")).toEqual([""]);
  expect(await addresses("?reason=asked%20by%20phone")).toEqual([""]);
  expect(await counts()).toEqual({
    counts: [
      { reason: "bounce", count: 3 },
      { reason: "complaint", count: 1 },
      { reason: "other", count: 1 },
    ],
  });
  expect(await counts("?edition=2026-11-25")).toEqual({ counts: [{ reason: "bounce", count: 1 }] });
  const refused = await Promise.all(
    ["?edition=2026-11-23", "?edition=x", "?since=x", "?after=x"].map((query) =>
      site.api("GET", `/suppressions${query}`),
    ),
  );
  expect(refused.map((one) => [one.statusCode, one.json<{ code: string }>().code])).toEqual([
    [404, "edition_not_found"],
    [422, "edition_name_invalid"],
    [422, "date_invalid"],
    [422, "suppression_page_invalid"],
  ]);
});

test("pages show each suppression once, also many of one time and those that are added meanwhile", async () => {
  const { db, options } = site.app;
  const add = (name: string) =>
    suppress(db, options.secret, { addressKey: name, reason: "operator", detail: name, now: site.clock.at });
  for (let i = 0; i < 25; i += 1) {
    if (i === 10) site.clock.at = new Date(site.clock.at.getTime() + 1);
    await add(`a${i}@example.org`);
  }
  const seen: string[] = [];
  for (let after: string | null = ""; after !== null;) {
    const page = await listSuppressions(db, options.secret, { after, limit: 4 });
    seen.push(...page.suppressions.map(({ detail }) => detail ?? ""));
    if (after === "") {
      site.clock.at = new Date(site.clock.at.getTime() + 1);
      await add("later@example.org");
    }
    after = page.next;
  }
  expect(seen.toSorted()).toEqual(Array.from({ length: 25 }, (_, i) => `a${i}@example.org`).toSorted());
});

test("all suppressions with one reason of an edition are removed, and its readers get emails again unless they left", async () => {
  await twoEditions();
  const two = (await findByAddress(site.app.db, "r2@example.org"))!;
  await site.api("DELETE", `/subscribers/${two.id}`);
  const asked = { reason: "bounce", edition: "2026-11-24" };
  expect((await removeAll({ ...asked, dryRun: true })).json()).toEqual({ count: 2, resumed: 0, removed: false });
  expect((await removeAll(asked)).json()).toEqual({ count: 2, resumed: 1, removed: true });
  expect((await removeAll(asked)).json()).toEqual({ count: 0, resumed: 0, removed: true });
  expect(await Promise.all(["r1", "r2", "r3", "r4"].map((name) => status(`${name}@example.org`)))).toEqual([
    "active",
    "unsubscribed",
    "suppressed",
    "suppressed",
  ]);
  const removals = (await listAudit(site.app.db, { limit: 9 })).filter(
    ({ action }) => action === "suppressions remove",
  );
  expect(removals).toMatchObject([{ detail: { ...asked, count: 2, resumed: 1 } }]);
  expect((await counts()).counts).toMatchObject([{ reason: "bounce", count: 1 }, {}, {}]);
});

test("suppressions of a period are removed, but readers whom no edition suppressed have to sign up again", async () => {
  await twoEditions();
  await site.api("POST", "/suppressions", { address: "r5@example.org" });
  expect((await removeAll({ reason: "operator", since: "2026-11-26" })).json()).toMatchObject({ count: 0 });
  expect((await removeAll({ reason: "operator", since: "2026-11-25" })).json()).toMatchObject({ count: 1, resumed: 0 });
  expect(await status("r5@example.org")).toBe("suppressed");
  expect((await removeAll({ reason: "bounce", until: "2026-11-25" })).json()).toMatchObject({ count: 3, resumed: 3 });
});

test("what owners of addresses decided is not removed together, and neither is everything", async () => {
  await twoEditions();
  const codes = await Promise.all(
    [
      { reason: "complaint", edition: "2026-11-24" },
      { reason: "erased", since: "2026-11-01" },
      { reason: "unsubscribed", since: "2026-11-01" },
      { reason: "bounce" },
    ].map(async (body) => (await removeAll(body)).json<{ status: number; code: string }>()),
  );
  expect(codes).toMatchObject([
    ...Array.from({ length: 3 }, () => ({ status: 409, code: "suppressions_of_owners" })),
    { status: 422, code: "suppressions_unbounded" },
  ]);
  expect((await list()).suppressions).toHaveLength(5);
});

test("a reader is found by the address that was suppressed, not by a later one", async () => {
  await twoEditions();
  expect(await addresses("?reason=complaint")).toEqual(["r3@example.org"]);
  // As `changeAddress` does it.
  await sql`update subscribers set address = 'new@example.org', address_key = 'new@example.org', address_hash = null
    where address_key = 'r3@example.org'`.execute(site.app.db);
  expect(await addresses("?reason=complaint")).toEqual([""]);
});

test("the page lists, filters, finds and removes suppressions", async () => {
  const dashboard = await signIn(site);
  await twoEditions();
  const { body } = await dashboard.get("/operator/suppressions?edition=2026-11-24&reason=bounce");
  expect(body).toContain("r1@example.org");
  expect(body).not.toContain("r4@example.org");
  expect(body).toContain("no such user");
  expect(body).toContain(textOf("suppression.source", { source: "api", name: "api" }));
  const label = textOf("suppressions.remove_all", { n: 2 });
  expect(body).toContain(label);
  expect((await dashboard.get("/operator/suppressions?reason=bounce")).body).not.toContain("remove-all");
  expect((await dashboard.get("/operator/suppressions?reason=complaint&edition=2026-11-24")).body).not.toContain(
    "remove-all",
  );
  const wrong = await dashboard.get("/operator/suppressions?edition=2026-11-20");
  expect([wrong.statusCode, wrong.body.includes('role="alert"')]).toEqual([404, true]);

  const found = await dashboard.post("/operator/suppressions/find", { address: "R1@example.org" });
  const hash = /name="hash" value="([0-9a-f]{64})"/.exec(found.body)![1]!;
  expect((await dashboard.post("/operator/suppressions/find", { address: "r5@example.org" })).statusCode).toBe(404);
  const removed = await dashboard.post("/operator/suppressions/remove", { hash, reason: "bounce" });
  expect(removed.headers.location).toBe("/operator/suppressions?reason=bounce&done=remove");
  expect((await dashboard.post("/operator/suppressions/remove", { hash })).statusCode).toBe(404);

  const one = textOf("suppressions.remove_all", { n: 1 });
  const query = "edition=2026-11-24&reason=bounce";
  expect((await dashboard.get(`/operator/suppressions/remove-all?${query}`)).body).toContain(`${one}?`);
  const all = await dashboard.post("/operator/suppressions/remove-all", { edition: "2026-11-24", reason: "bounce" });
  const done = (await dashboard.get(all.headers.location!)).body;
  expect(done).toContain(textOf("suppressions.removed_all", { n: 1, resumed: 1 }));
  const own = await dashboard.post("/operator/suppressions/remove-all", { edition: "2026-11-24", reason: "complaint" });
  expect(own.statusCode).toBe(409);
});
