import { randomUUID } from "node:crypto";
import { sql } from "kysely";
import { afterAll, beforeAll, expect, test } from "vitest";
import { listAudit } from "../../../src/audit/audit.ts";
import { openLimitStore, sharedLimits } from "../../../src/ledger/limit-store.ts";
import { addNotice } from "../../../src/subscribers/notices.ts";
import { signIn, type Dashboard } from "../../support/sign-in.ts";
import { textOf } from "../../support/text.ts";
import { article, openWeb, type OpenWeb } from "./open.ts";

let site: OpenWeb;
let dashboard: Dashboard;
const minute = 60_000;
const reason = "454 Throttling failure: Daily message quota exceeded";
const button = 'action="/operator/relay/resume"';

beforeAll(async () => {
  site = await openWeb();
  dashboard = await signIn(site);
});
afterAll(() => site.close());

async function pause(): Promise<void> {
  const store = openLimitStore(site.app.db, randomUUID());
  await store.exchange({ rate: null, lease: null, failed: { ms: 10 * minute, reason, failures: 1, quota: "day" } });
}

async function pausedMs(): Promise<number> {
  const { limits, now } = await sharedLimits(site.app.db);
  return Math.max(0, limits.pause!.until - now);
}

test("the page offers to end a pause, and the entry in the audit log has its reason", async () => {
  expect((await dashboard.get("/operator/relay")).body).not.toContain(button);
  await pause();
  const page = await dashboard.get("/operator/relay");
  expect(page.body).toContain(reason);
  expect(page.body).toContain(button);
  expect((await dashboard.get("/operator")).body).toContain('href="/operator/relay">' + textOf("decision.view_relay"));
  const posted = await dashboard.post("/operator/relay/resume");
  expect([posted.statusCode, posted.headers["location"]]).toEqual([303, "/operator/relay?resumed"]);
  expect(await pausedMs()).toBe(0);
  const { body } = await dashboard.get("/operator/relay?resumed");
  expect(body).toContain(textOf("relay.resumed"));
  expect(body).not.toContain(button);
  const [entry] = await listAudit(site.app.db, { limit: 1 });
  expect(entry).toMatchObject({ actor: "Ada", action: "relay resume", detail: { reason, quota: "day" } });
  const again = await dashboard.post("/operator/relay/resume");
  expect(again.headers["location"]).toBe("/operator/relay");
});

test("the API ends a pause once, and what the pause deferred is due now, but nothing that is due later", async () => {
  const { app, clock } = site;
  await site.api("POST", "/articles", [article(1, ["huawei"])]);
  for (const name of ["ada", "bob"]) {
    const reader = { address: `${name}@example.com`, allTags: true, confirmed: true, consent: { method: "test" } };
    await site.api("POST", "/subscribers", reader);
  }
  await site.api("POST", "/editions");
  await site.render(1);
  const now = clock.now();
  const [soon, later] = [10, 30].map((minutes) => new Date(now.getTime() + minutes * minute)) as [Date, Date];
  await sql`update deliveries set state = 'deferred', settled_at = ${now},
    due_at = case when subscriber_id = 1 then ${soon}::timestamptz else ${later}::timestamptz end`.execute(app.db);
  await addNotice(app.db, { kind: "test", subscriberId: null, address: "a@example.com", dueAt: soon }, now);
  await sql`update notices set state = 'deferred', settled_at = ${now}`.execute(app.db);
  await pause();
  expect((await dashboard.get("/operator/editions/2026-11-24")).body).toContain('href="/operator/relay"');
  expect((await site.api("POST", "/relay/resume")).json()).toEqual({ changed: true });
  expect((await site.api("POST", "/relay/resume")).json()).toEqual({ changed: false });
  const due = async (table: "deliveries" | "notices") =>
    (await app.db.selectFrom(table).select("due_at").orderBy("id").execute()).map(({ due_at }) => due_at);
  expect(await due("deliveries")).toEqual([now, later]);
  expect(await due("notices")).toEqual([now]);
});
