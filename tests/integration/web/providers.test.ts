import { afterAll, beforeAll, expect, test } from "vitest";
import { listAudit } from "../../../src/audit/audit.ts";
import { addCounts, addLaterCounts, readProvider, writeProvider } from "../../../src/providers/store.ts";
import { openAlerts } from "../../../src/alerts/store.ts";
import { watchAlerts } from "../../../src/alerts/watch.ts";
import { signIn, type Dashboard } from "../../support/sign-in.ts";
import { openWeb, token, type OpenWeb } from "./open.ts";

let site: OpenWeb;
let dashboard: Dashboard;
const reply = "550 5.7.515 Access denied for <address>";

beforeAll(async () => {
  site = await openWeb();
  dashboard = await signIn(site);
  const { db } = site.app;
  const now = site.clock.now();
  const until = new Date(now.getTime() + 24 * 3_600_000);
  const blocked = { state: "blocked", until, width: 1, failures: 1, reply, changedAt: now, version: 0 } as const;
  await writeProvider(db, { ...blocked, name: "microsoft" });
  await addCounts(
    db,
    new Map([
      ["google", { accepted: 1_200, deferred: 3, refused: 2 }],
      ["microsoft", { accepted: 0, deferred: 0, refused: 10 }],
    ]),
    now,
  );
});
afterAll(() => site.close());

test("every mailbox provider is listed with its counts, the blocked one first", async () => {
  expect((await site.api("GET", "/providers")).json()).toMatchObject({
    providers: [
      { name: "microsoft", state: "blocked", refused: 10, reply, nextAttemptAt: expect.any(String), width: 0 },
      { name: "google", state: "open", accepted: 1_200, deferred: 3, refused: 2, perMinute: 1_200, width: null },
    ],
  });
  site.clock.at = new Date(site.clock.at.getTime() + 90_000);
  const later = await site.api("GET", "/providers");
  expect(later.json<{ providers: object[] }>().providers[1]).toMatchObject({ perMinute: 600 });
});

test("a block raises an alert, an operator ends it on the page, and all of it is recorded", async () => {
  const { db } = site.app;
  await watchAlerts(site.app);
  expect(await openAlerts(db)).toMatchObject([{ kind: "provider", data: { provider: "microsoft", reply } }]);
  const page = await dashboard.get("/operator/providers");
  expect(page.body).toContain('name="name" value="microsoft"');
  const posted = await dashboard.post("/operator/providers/resume", { name: "microsoft" });
  expect([posted.statusCode, posted.headers["location"]]).toEqual([303, "/operator/providers?resumed=microsoft"]);
  expect(await readProvider(db, "microsoft")).toMatchObject({ state: "paused", until: site.clock.at, failures: 0 });
  await watchAlerts(site.app);
  expect(await openAlerts(db)).toEqual([]);
  const [entry] = await listAudit(db, { limit: 1 });
  expect(entry).toMatchObject({ action: "provider resume", subject: "microsoft", detail: { state: "blocked", reply } });
});

test("a provider that is tried again may get one email at a time, now", async () => {
  const { providers } = (await site.api("GET", "/providers")).json<{ providers: object[] }>();
  expect(providers[0]).toMatchObject({ name: "microsoft", state: "probing", width: 1, nextAttemptAt: null });
});

test("to resume again changes nothing, and an unknown name is refused", async () => {
  const resume = async (name: string) => (await site.api("POST", `/providers/${name}/resume`)).json<object>();
  expect(await resume("microsoft")).toEqual({ name: "microsoft", changed: false });
  expect(await resume("google")).toEqual({ name: "google", changed: false });
  expect(await resume("nobody")).toMatchObject({ status: 404, code: "no_such_provider" });
});

test("metrics have the replies of each provider", async () => {
  const { payload } = await site.inject({ url: "/metrics", headers: { authorization: `Bearer ${token}` } });
  expect(payload).toContain('dayletter_provider_replies{provider="google",reply="accepted"} 1200');
  expect(payload).toContain('dayletter_provider_limited{provider="microsoft",state="probing"} 1');
});

test("bounces and complaints are listed with their rates, and what nobody reports is not 0", async () => {
  const { db, clock } = site.app;
  const outcomes = async () => (await site.api("GET", "/providers")).json<{ outcomes: object[] }>().outcomes;
  expect((await outcomes())[0]).toMatchObject({ name: "google", emails: 1_200, bounceRate: null, complaintRate: null });
  await site.app.noteReport("listener");
  expect((await outcomes())[0]).toMatchObject({ bounceRate: 0, complaintRate: null, complaintLevel: null });
  const body = async () => (await dashboard.get("/operator/providers")).body;
  expect(await body()).toContain("postmaster.google.com");
  await addLaterCounts(db, { provider: "google", at: clock.now() }, { hard: 2, policy: 1, complained: 6 });
  expect(await outcomes()).toMatchObject([
    { name: "google", hard: 2, policy: 1, bounceRate: 3 / 1_200, complaintRate: 6 / 1_200, complaintLevel: "high" },
  ]);
  expect(await body()).not.toContain("postmaster.google.com");
  expect(await body()).toContain("0.25%");
  await watchAlerts(site.app);
  const complaints = async () => (await openAlerts(db)).find(({ kind }) => kind === "complaints");
  expect(await complaints()).toMatchObject({ data: { provider: "google", emails: 1_200, complained: 6 } });
  const acceptedMore = async () => {
    await addCounts(db, new Map([["google", { accepted: 1_200, deferred: 0, refused: 0 }]]), clock.now());
    await watchAlerts(site.app);
  };
  await acceptedMore();
  // 0.25% is below the limit, but not by far.
  expect(await complaints()).toBeDefined();
  await acceptedMore();
  expect(await complaints()).toBeUndefined();
  const { payload } = await site.inject({ url: "/metrics", headers: { authorization: `Bearer ${token}` } });
  for (const line of [
    'dayletter_provider_emails{provider="google"} 3600',
    'dayletter_provider_complaints{provider="google"} 6',
    'dayletter_provider_bounces{provider="google",kind="hard"} 2',
    'dayletter_bounces{kind="policy"} 1',
    "dayletter_complaints 6",
    'dayletter_reports_timestamp_seconds{source="listener"} 1',
  ]) {
    expect(payload).toContain(line);
  }
});
