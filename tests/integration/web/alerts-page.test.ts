import { afterAll, beforeAll, expect, test } from "vitest";
import { insertAlerts, markAlerts } from "../../../src/alerts/store.ts";
import { signIn, type Dashboard } from "../../support/sign-in.ts";
import { textOf } from "../../support/text.ts";
import { openWeb, type OpenWeb } from "./open.ts";

let site: OpenWeb;
let dashboard: Dashboard;

beforeAll(async () => {
  site = await openWeb();
  dashboard = await signIn(site);
});
afterAll(() => site.close());

test("the dashboard links to the alerts, active ones apart from past ones", async () => {
  expect((await dashboard.get("/operator")).body).toContain('href="/operator/alerts"');
  expect((await dashboard.get("/operator/alerts")).statusCode).toBe(200);
  const trouble = (host: string) => ({ kind: "relay" as const, subject: host, data: { host, reply: "421" } });
  await site.app.db.transaction().execute(async (tx) => {
    const now = site.clock.now();
    const [active, past] = await insertAlerts(tx, [trouble("first.example"), trouble("second.example")], now);
    await markAlerts(tx, [active!, past!], { notified_at: now });
    await markAlerts(tx, [past!], { cleared_at: now });
  });
  const { body } = await dashboard.get("/operator/alerts");
  const [, active = "", past = ""] = /id="active"(.*)id="past"(.*)/s.exec(body) ?? [];
  expect([active.includes("first.example"), active.includes("second.example")]).toEqual([true, false]);
  expect([past.includes("first.example"), past.includes("second.example")]).toEqual([false, true]);
  site.clock.at = new Date(site.clock.at.getTime() + 60_000);
  expect((await dashboard.get("/operator")).body).toContain(textOf("today.alerts", { n: 1 }));
});
