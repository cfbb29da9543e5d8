import { sql } from "kysely";
import { afterAll, beforeAll, expect, test } from "vitest";
import { closeEdition } from "../../../src/editions/close.ts";
import { suppress } from "../../../src/subscribers/suppressions.ts";
import { startSink, type Sink } from "../../support/sink.ts";
import { addressHash } from "../../../src/subscribers/tokens.ts";
import { emailServices } from "../../../src/outcomes/store.ts";
import { article, openWeb, type OpenWeb } from "./open.ts";

let site: OpenWeb;
let sink: Sink;
beforeAll(async () => {
  sink = await startSink();
  site = await openWeb({ APPROVAL: "hold", SMTP_URL: sink.url, ALERT_MAIL: "news@example.com" });
});
afterAll(async () => {
  await site.close();
  await sink.close();
});

type Step = readonly [write: string, path: string, body?: object];

const reader = (address: string) => ({ address, allTags: true, confirmed: true, consent: { method: "test" } });
const own = "/editions/2026-11-24";

/** Every write of the API by its name in the OpenAPI document, in an order in which each finds something to change. */
const beforeTheEdition: readonly Step[] = [
  ["POST /articles/{id}/hide", "/articles/3/hide"],
  ["POST /sources/{id}/check", "/sources/2/check"],
  ["PUT /sources/{id}", "/sources/2", { splitTags: true }],
  ["DELETE /sources/{id}", "/sources/2"],
  ["POST /tags/alias", "/tags/alias", { tag: "LTE", alias: "4G" }],
  ["DELETE /tags/alias", "/tags/alias?tag=LTE&alias=4G"],
  ["POST /tags/rename", "/tags/rename", { from: "huawei", to: "Huawei Group" }],
  ["POST /tags/merge", "/tags/merge", { from: "5G", into: "LTE" }],
  ["POST /tags/hide", "/tags/hide", { tag: "6G" }],
  ["POST /tags/unhide", "/tags/unhide", { tag: "6G" }],
  ["POST /subscribers", "/subscribers", reader("ada@example.com")],
  ["POST /subscribers", "/subscribers", reader("bob@example.com")],
  ["POST /subscribers", "/subscribers", reader("eve@example.com")],
  ["PATCH /subscribers/{id}", "/subscribers/1", { timezone: "Asia/Seoul" }],
  ["DELETE /subscribers/{id}", "/subscribers/2"],
  ["POST /suppressions", "/suppressions", { address: "carla@example.com" }],
  ["DELETE /suppressions/{hash}", "/suppressions/HASH"],
  ["POST /suppressions", "/suppressions", { address: "dora@example.com" }],
  ["POST /suppressions/remove", "/suppressions/remove", { reason: "operator", since: "2026-11-24" }],
  ["PUT /editions/next", "/editions/next", { subject: "Telecoms today" }],
  ["POST /editions/next/test", "/editions/next/test", { address: "me@example.com" }],
  ["POST /editions/next/check-links", "/editions/next/check-links"],
  ["PUT /schedule", "/schedule", { sendAt: "18:00" }],
  ["PUT /schedule/skip", "/schedule/skip", { dates: ["2026-12-24..2026-12-26"] }],
  ["PUT /schedule/skip/{date}", "/schedule/skip/2026-12-31"],
  ["DELETE /schedule/skip/{date}", "/schedule/skip/2026-12-31"],
  ["PUT /schedule/move/{date}", "/schedule/move/2026-12-30", { sendAt: "10:00" }],
  ["DELETE /schedule/move/{date}", "/schedule/move/2026-12-30"],
  ["POST /operators", "/operators", { name: "Grace", role: "viewer" }],
  ["PUT /operators/{which}/role", "/operators/Grace/role", { role: "editor" }],
  ["POST /operators/{which}/link", "/operators/Grace/link"],
  ["POST /operators/{which}/disable", "/operators/Grace/disable"],
  ["POST /operators/{which}/enable", "/operators/Grace/enable"],
  ["POST /tokens", "/tokens", { name: "cron", role: "viewer" }],
  ["DELETE /tokens/{which}", "/tokens/cron"],
  ["POST /alerts/test", "/alerts/test"],
  ["POST /editions", "/editions"],
];
const whileItIsSent: readonly Step[] = [
  ["POST /editions/{date}/pause", `${own}/pause`],
  ["POST /editions/{date}/resume", `${own}/resume`],
  ["POST /editions/{date}/test", `${own}/test`, { address: "me@example.com" }],
];
const onceItIsSent: readonly Step[] = [
  ["POST /editions/{date}/retry", `${own}/retry`],
  ["POST /editions/{date}/resend-unknown", `${own}/resend-unknown`],
  ["POST /editions/{date}/unsuppress", `${own}/unsuppress`],
  ["POST /outcomes", "/outcomes", [{ address: "eve@example.com", outcome: "complained" }]],
  ["POST /editions/{date}/cancel", `${own}/cancel`],
];
const whileItIsHeld: readonly Step[] = [
  ["PUT /editions/{date}", `${own}.2`, { subject: "Another" }],
  ["POST /editions/{date}/check-links", `${own}.2/check-links`],
  ["POST /editions/{date}/approve", `${own}.2/approve`],
];
const every = [...beforeTheEdition, ...whileItIsSent, ...onceItIsSent, ...whileItIsHeld];

/** News come in as a feed's do, with their source. The others are tested with what they need: a feed, a list, a picture, codes, a signature. */
const elsewhere = [
  "POST /articles",
  "POST /sources",
  "POST /subscribers/import",
  "POST /suppressions/import",
  "POST /operators/link",
  "POST /providers/{name}/resume",
  "POST /relay/resume",
  "POST /bounce-tests",
  // Removes what that has left.
  "DELETE /bounce-tests/{id}",
  "DELETE /operators/{which}/codes",
  ...emailServices.map((service) => `POST /hooks/${service}`),
];
/** What would be a GET, if the address or the words that it asks for could stand in a URL. */
const reads = [
  "POST /subscribers/lookup",
  "POST /suppressions/lookup",
  "POST /editions/{date}/deliveries/search",
  "POST /editions/{date}/deliveries/export",
];

test("the list covers every write of the API", async () => {
  const { paths } = (await site.api("GET", "/openapi.json")).json<{ paths: Record<string, object> }>();
  const found = Object.entries(paths).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => `${method.toUpperCase()} ${path.replace("/api/v1", "")}`),
  );
  const known = new Set([...every.map(([write]) => write), ...elsewhere, ...reads]);
  expect(found.filter((write) => !write.startsWith("GET ") && !known.has(write))).toEqual([]);
});

test("every write is in the audit log, with its actor and network address", async () => {
  const { app, clock } = site;
  const at = clock.now();
  await site.api("POST", "/articles", [article(1, ["huawei", "LTE"]), article(2, ["5G"]), article(3, ["6G"])]);
  await app.db
    .insertInto("sources")
    .values({ kind: "feed", url: "https://feed.example/", next_check_at: at, created_at: at })
    .execute();
  for (const step of beforeTheEdition) await expectLogged(step);
  await site.render(1);
  for (const step of whileItIsSent) await expectLogged(step);
  // As a worker would have left them: one refused for good and suppressed, one whose answer was lost.
  await sql`update deliveries set settled_at = ${at}, reply = 'as told',
    state = case when subscriber_id = 1 then 'rejected' else 'unknown' end`.execute(app.db);
  const gone = { addressKey: "ada@example.com", editionId: 1, reason: "bounce", detail: "", now: at };
  await app.db.transaction().execute((tx) => suppress(tx, app.options.secret, gone));
  await closeEdition(app, 1);
  for (const step of onceItIsSent) await expectLogged(step);
  await site.api("POST", "/articles", [article(4, ["LTE"])]);
  await site.api("POST", "/editions", { extra: true });
  await sql`update editions set state = 'held' where number = 2`.execute(app.db);
  for (const step of whileItIsHeld) await expectLogged(step);
});

async function expectLogged([write, path, body]: Step): Promise<void> {
  const entries = () => site.app.db.selectFrom("audit").select(["actor", "came_from"]).orderBy("id").execute();
  const before = (await entries()).length;
  const hash = addressHash(site.app.options.secret, "carla@example.com").toString("hex");
  const answer = await site.api(write.split(" ")[0] as "POST", path.replace("HASH", hash), body);
  expect([write, answer.statusCode < 300, answer.statusCode < 300 || answer.body]).toEqual([write, true, true]);
  const fresh = (await entries()).slice(before);
  expect(fresh.length, write).toBeGreaterThan(0);
  for (const entry of fresh) expect(entry, write).toEqual({ actor: "setting", came_from: "127.0.0.1" });
}
