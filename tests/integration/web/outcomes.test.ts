import { sql } from "kysely";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { listAudit } from "../../../src/audit/audit.ts";
import { actOnEdition } from "../../../src/editions/operator-actions.ts";
import { returnPath } from "../../../src/mail/return-path.ts";
import { giveUpMailboxes } from "../../../src/outcomes/give-up.ts";
import { createReportSources, listReportSources } from "../../../src/outcomes/report-sources.ts";
import { addCounts, listProviderOutcomes } from "../../../src/providers/store.ts";
import { loadFacts } from "../../../src/alerts/store.ts";
import { retain } from "../../../src/alerts/retention.ts";
import { erase } from "../../../src/subscribers/erase.ts";
import { personalData } from "../../../src/subscribers/personal-data.ts";
import { findSuppressions } from "../../../src/subscribers/suppressions.ts";
import { findByAddress } from "../../../src/subscribers/store.ts";
import { handedOver } from "../../support/handed-over.ts";
import { addAllNewsReaders } from "../../support/readers.ts";
import { textOf } from "../../support/text.ts";
import { eventually } from "../../support/world.ts";
import { openWeb, type OpenWeb } from "./open.ts";

let site: OpenWeb;
beforeAll(async () => {
  site = await openWeb({ BOUNCE_ADDRESS: "bounce@news.example.com" });
});
afterAll(() => site.close());
beforeEach(async () => {
  // Ids go on, because the watch of suppressions counts by edition.
  site.clock.at = new Date("2026-11-24T08:00:00Z");
  await sql`truncate editions, articles, subscribers, suppressions, audit, provider_hours, report_sources cascade`.execute(
    site.app.db,
  );
});

const sent = (state?: string) => handedOver(site.app, state);
const readers = (count: number) => Array.from({ length: count }, (_, i) => `r${i}@example.org`);
const status = async (address: string) => (await findByAddress(site.app.db, address))!.status;
const suppression = async (address: string) =>
  (await findSuppressions(site.app.db, site.app.options.secret, [address])).get(address);
async function report(...lines: object[]): Promise<Record<string, unknown>[]> {
  const answer = await site.api("POST", "/outcomes", lines);
  expect(answer.statusCode, answer.body).toBe(200);
  return answer.json<{ outcomes: Record<string, unknown>[] }>().outcomes;
}
const bounced = (address: string, code: string, more: object = {}) => ({ address, outcome: "bounced", code, ...more });
const outcomesOf = () => site.app.db.selectFrom("delivery_outcomes").selectAll().orderBy("delivery_id").execute();
const counts = (id: number) =>
  site.app.db.selectFrom("outcome_counts").selectAll().where("edition_id", "=", id).executeTakeFirstOrThrow();

test("each kind of report has its effect on the reader, and the delivery stays sent", async () => {
  await addAllNewsReaders(site.app, readers(5));
  const id = await sent();
  expect(
    await report(
      bounced("R0@example.org", "550 5.1.1", { text: "5.1.1 <r0@example.org> does not exist", edition: "2026-11-24" }),
      bounced("r1@example.org", "5.2.2"),
      bounced("r2@example.org", "5.7.1"),
      { address: "r3@example.org", outcome: "complained", at: "2026-11-24T07:59:00Z" },
    ),
  ).toMatchObject([
    { result: "recorded", kind: "hard", suppressed: true },
    { result: "recorded", kind: "soft", suppressed: false },
    { result: "recorded", kind: "policy", suppressed: false },
    { result: "recorded", kind: null, suppressed: true },
  ]);
  expect(await Promise.all(readers(5).map(status))).toEqual(["suppressed", "active", "active", "suppressed", "active"]);
  expect(await suppression("r0@example.org")).toMatchObject({ reason: "bounce" });
  expect(await suppression("r3@example.org")).toMatchObject({ reason: "complaint", since: site.clock.at });
  const rows = await outcomesOf();
  expect(rows).toMatchObject([
    { edition_id: id, outcome: "bounced", kind: "hard", code: "550 5.1.1", source: "api", guess: false },
    { kind: "soft", text: null },
    { kind: "policy" },
    { outcome: "complained", kind: null, happened_at: new Date("2026-11-24T07:59:00Z") },
  ]);
  expect(rows[0]!.text).not.toContain("r0@");
  expect(await counts(id)).toMatchObject({ hard: 1, soft: 1, policy: 1, complained: 1, gone: 2, spared: 0 });
  const states = await site.app.db.selectFrom("deliveries").select("state").distinct().execute();
  expect(states).toEqual([{ state: "sent" }]);
  expect((await listAudit(site.app.db, { limit: 1 }))[0]).toMatchObject({
    action: "outcomes record",
    detail: { recorded: 4, suppressed: 2 },
  });
});

test("the edition and the reader's explanation show what became of the email, and when", async () => {
  await addAllNewsReaders(site.app, readers(3));
  await sent();
  const at = "2026-11-24T07:58:00.000Z";
  const complaint = { address: "r0@example.org", outcome: "complained", at: "2026-11-24T07:59:00.000Z" };
  await report(
    complaint,
    bounced("r0@example.org", "552 5.2.2", { at, text: "5.2.2 full" }),
    bounced("r1@example.org", "5.7.1"),
  );
  const edition = (await site.api("GET", "/editions/2026-11-24")).json<Record<string, unknown>>();
  expect(edition).toMatchObject({
    balance: { sent: 3 },
    outcomes: { hard: 0, soft: 1, policy: 1, complained: 1, notSuppressed: 0 },
    outcomesSentence: textOf("edition.outcomes", {
      emails: 3,
      bounced: 2,
      bounce_rate: "67%",
      hard: 0,
      soft: 1,
      policy: 1,
      complained: 1,
      complaint_rate: "33%",
      level: "none",
      spared: 0,
    }),
  });
  const { editions } = (await site.api("GET", "/editions")).json<{ editions: object[] }>();
  expect(editions).toMatchObject([{ outcomes: { bounceRate: 2 / 3, complaintRate: 1 / 3 } }]);
  const reader = (await findByAddress(site.app.db, "r0@example.org"))!;
  const why = (await site.api("GET", `/subscribers/${reader.id}/why?date=2026-11-24`)).json<{ sentence: string }>();
  expect(why).toMatchObject({
    code: "sent",
    editions: [
      {
        outcomes: [
          { outcome: "bounced", kind: "soft", code: "552 5.2.2", text: "5.2.2 full", source: "api", guess: false, at },
          { outcome: "complained", kind: null, at: complaint.at },
        ],
      },
    ],
  });
  const bounce = { kind: "soft", at: "2026-11-24 07:58 UTC", detail: "552 5.2.2 full" };
  expect(why.sentence).toContain(textOf("why.bounced", bounce));
  expect(why.sentence).toContain(textOf("why.complained", { at: "2026-11-24 07:59 UTC" }));
});

test("a report that comes again changes nothing, and a hard bounce replaces a soft one", async () => {
  await addAllNewsReaders(site.app, readers(3));
  const id = await sent();
  const soft = bounced("r0@example.org", "4.2.2");
  expect(await report(soft, soft)).toMatchObject([{ result: "recorded" }, { result: "unchanged", kind: "soft" }]);
  const hard = bounced("r0@example.org", "5.1.1");
  expect(await report(hard, hard, soft)).toMatchObject([
    { result: "recorded", kind: "hard", suppressed: true },
    { result: "unchanged", kind: "hard", suppressed: false },
    { result: "unchanged", kind: "hard" },
  ]);
  expect(await outcomesOf()).toHaveLength(1);
  expect(await counts(id)).toMatchObject({ hard: 1, soft: 0, gone: 1 });
});

test("a complaint about an address that was suppressed before suppresses nothing", async () => {
  await addAllNewsReaders(site.app, readers(2));
  await sent();
  site.clock.at = new Date("2026-11-25T08:00:00Z");
  await sent();
  const about = (edition: string) => report({ address: "r0@example.org", outcome: "complained", edition });
  expect(await about("2026-11-24")).toMatchObject([{ result: "recorded", suppressed: true }]);
  expect(await about("2026-11-25")).toMatchObject([{ result: "recorded", suppressed: false }]);
});

test("a report that fits no email is refused, and only a complaint still suppresses the address", async () => {
  await addAllNewsReaders(site.app, readers(2));
  await sent();
  const codes = await report(
    bounced("nobody@example.org", "5.1.1"),
    bounced("r0@example.org", "5.1.1", { edition: "2026-11-23" }),
    bounced("r0@example.org", "5.1.1", { at: "2026-11-23T08:00:00Z" }),
    bounced("not an address", "5.1.1"),
    bounced("r0@example.org", "5.1.1", { edition: "yesterday" }),
  );
  expect(codes.map(({ result, code }) => [result, code])).toEqual([
    ["refused", "outcome_without_email"],
    ["refused", "edition_not_found"],
    ["refused", "outcome_without_email"],
    ["refused", "address_invalid"],
    ["refused", "edition_name_invalid"],
  ]);
  expect(await outcomesOf()).toEqual([]);
  expect(await status("r0@example.org")).toBe("active");
  expect(await suppression("nobody@example.org")).toBeUndefined();
  const complaint = { address: "nobody@example.org", outcome: "complained" };
  expect(await report(complaint, complaint)).toMatchObject([{ result: "recorded" }, { result: "unchanged" }]);
  expect(await suppression("nobody@example.org")).toMatchObject({ reason: "complaint" });
});

test("a return path names its email, but not a reader who has another address now", async () => {
  await addAllNewsReaders(site.app, readers(2));
  const id = await sent();
  const deliveries = await site.app.db.selectFrom("deliveries").select("id").orderBy("subscriber_id").execute();
  const options = { secret: site.app.options.secret, bounceAddress: "bounce@news.example.com" };
  const [first, second] = deliveries.map((one, i) =>
    returnPath(options, { kind: "delivery", editionId: id, id: one.id }, `r${i}@example.org`),
  );
  await sql`update subscribers set address = 'new@example.org', address_key = 'new@example.org'
    where address_key = 'r1@example.org'`.execute(site.app.db);
  const forged = `${first!.slice(0, 10)}${first![10] === "a" ? "b" : "a"}${first!.slice(11)}`;
  expect(await report(bounced(first!, "5.1.1"), bounced(second!, "5.1.1"), bounced(forged, "5.1.1"))).toMatchObject([
    { result: "recorded", kind: "hard", suppressed: true },
    { result: "recorded", kind: "hard", suppressed: false },
    { result: "refused", code: "outcome_without_email" },
  ]);
  expect(await Promise.all(["r0@example.org", "new@example.org"].map(status))).toEqual(["suppressed", "active"]);
});

test("a bounce of a notice changes nothing, and a complaint about it suppresses its address", async () => {
  const at = site.clock.now();
  const { id } = await site.app.db
    .insertInto("notices")
    .values({
      kind: "sample",
      address: "Ada@example.org",
      payload: "{}",
      state: "sent",
      created_at: at,
      expires_at: at,
    })
    .returning("id")
    .executeTakeFirstOrThrow();
  const options = { secret: site.app.options.secret, bounceAddress: "bounce@news.example.com" };
  const path = returnPath(options, { kind: "notice", id }, "ada@example.org");
  expect(await report(bounced(path, "5.1.1"))).toMatchObject([{ result: "unchanged", kind: "hard" }]);
  expect(await suppression("ada@example.org")).toBeUndefined();
  expect(await report({ address: path, outcome: "complained" })).toMatchObject([{ suppressed: true }]);
  expect(await suppression("ada@example.org")).toMatchObject({ reason: "complaint" });
});

test("soft bounces suppress after a long row only, and an edition that arrived ends the row", async () => {
  await addAllNewsReaders(site.app, readers(2));
  const soft = (address: string) => report(bounced(address, "4.4.1"));
  for (let day = 1; day <= 14; day++) {
    site.clock.at = new Date(Date.UTC(2026, 10, day, 8));
    await sent();
    if (day <= 8) expect(await soft("r0@example.org"), `day ${day}`).toMatchObject([{ suppressed: day === 8 }]);
    // Their mailbox took the email of day 4.
    if (day !== 4) await soft("r1@example.org");
    expect(await status("r1@example.org"), `day ${day}`).toBe(day < 12 ? "active" : "suppressed");
  }
  expect(await status("r0@example.org")).toBe("suppressed");
  expect(await suppression("r0@example.org")).toMatchObject({ reason: "bounce" });
});

test("a mailbox that is reported as disabled on two days is suppressed", async () => {
  await addAllNewsReaders(site.app, readers(2));
  for (const day of [24, 25]) {
    site.clock.at = new Date(Date.UTC(2026, 10, day, 8));
    await sent();
    expect(await report(bounced("r0@example.org", "550 5.2.1"))).toMatchObject([{ suppressed: day === 25 }]);
  }
});

test("a mailbox that the relay itself refuses or defers for long is given up, unless the relay or the sender is the cause", async () => {
  const replies = {
    "full@example.org": "452 4.2.2 Mailbox full",
    "over@example.org": "552 5.2.2 Over quota",
    "sender@example.org": "550 5.7.1 Rejected by policy",
    "relay@example.org": "421 4.3.2 Going down",
    "once@example.org": "452 4.2.2 Mailbox full",
    "arrived@example.org": "250 ok",
  };
  await addAllNewsReaders(site.app, Object.keys(replies));
  const statuses = async () =>
    Object.fromEntries(await Promise.all(Object.keys(replies).map(async (one) => [one, await status(one)])));
  const active = Object.fromEntries(Object.keys(replies).map((one) => [one, "active"]));
  for (let day = 1; day <= 9; day++) {
    site.clock.at = new Date(Date.UTC(2026, 10, day, 8));
    const id = await sent();
    for (const [address, reply] of Object.entries(replies)) {
      if (reply.startsWith("250") || (address === "once@example.org" && day !== 3)) continue;
      await sql`update deliveries d set state = ${reply.startsWith("4") ? "expired" : "rejected"}, reply = ${reply}
        from subscribers s where s.id = d.subscriber_id and s.address = ${address} and d.edition_id = ${id}`.execute(
        site.app.db,
      );
    }
    // Two workers at once.
    await Promise.all([giveUpMailboxes(site.app), giveUpMailboxes(site.app)]);
    if (day === 7) expect(await statuses()).toEqual(active);
    if (day === 8) {
      expect(await statuses()).toEqual({
        ...active,
        "full@example.org": "suppressed",
        "over@example.org": "suppressed",
      });
      expect(await suppression("full@example.org")).toMatchObject({ reason: "bounce" });
      expect(await counts(id)).toMatchObject({ gone: 2, spared: 0 });
      const undo = { date: "2026-11-08", number: 1, action: "unsuppress", actor: "test" } as const;
      expect(await actOnEdition(site.app, undo)).toMatchObject({ affected: 2 });
      // The same refusals do not suppress again.
      await giveUpMailboxes(site.app);
      expect(await statuses()).toEqual(active);
    }
  }
  expect(await statuses()).toEqual({ ...active, "full@example.org": "suppressed", "over@example.org": "suppressed" });
});

test("looking for mailboxes to give up takes no longer for more readers", async () => {
  await addAllNewsReaders(site.app, readers(40));
  const id = await sent();
  await sql`update deliveries set state = 'rejected', reply = '452 4.2.2 Mailbox full' where edition_id = ${id}`.execute(
    site.app.db,
  );
  let queries = 0;
  const db = site.app.db.withPlugin({
    transformQuery: ({ node }) => {
      queries += 1;
      return node;
    },
    transformResult: ({ result }) => Promise.resolve(result),
  });
  await giveUpMailboxes({ ...site.app, db });
  expect(queries).toBeGreaterThan(0);
  expect(queries).toBeLessThan(10);
});

test("reports that too many addresses are gone suppress no more of them, raise an alert, and can be undone", async () => {
  await addAllNewsReaders(site.app, readers(60));
  const id = await sent();
  const outcomes = await report(...readers(60).map((address) => bounced(address, "5.1.1")));
  const suppressed = outcomes.filter((one) => one["suppressed"]).length;
  expect(suppressed).toBe(20);
  expect(await counts(id)).toMatchObject({ hard: 60, gone: 60, spared: 40 });
  const { editions } = await loadFacts(site.app.db, site.clock.now());
  expect(editions).toMatchObject([{ state: "finished", suppressed: 20, goneAccepted: false }]);
  const undo = { date: "2026-11-24", number: 1, action: "unsuppress", actor: "test" } as const;
  expect(await actOnEdition(site.app, undo)).toMatchObject({ affected: 20 });
  expect(new Set(await Promise.all(readers(60).map(status)))).toEqual(new Set(["active"]));
});

test("complaints are not counted as addresses that do not exist", async () => {
  await addAllNewsReaders(site.app, readers(60));
  await sent();
  await report(
    bounced("r0@example.org", "5.1.1"),
    ...readers(20)
      .slice(1)
      .map((address) => ({ address, outcome: "complained" })),
  );
  const { editions } = await loadFacts(site.app.db, site.clock.now());
  expect(editions).toMatchObject([{ suppressed: 1 }]);
});

test("an edition that is being sent is paused when too many bounces come back", async () => {
  await addAllNewsReaders(site.app, readers(30));
  const id = await sent("sending");
  await report(...readers(12).map((address) => bounced(address, "5.1.1")));
  expect(await counts(id)).toMatchObject({ hard: 12, spared: 0 });
  await report(...readers(30).map((address) => bounced(address, "5.1.1")));
  const edition = await eventually("the edition is paused", () =>
    site.app.db.selectFrom("editions").selectAll().where("state", "=", "paused").executeTakeFirst(),
  );
  expect(edition).toMatchObject({ id, reason_code: "many_addresses_gone" });
  const { spared } = await counts(id);
  expect(spared).toBeGreaterThan(0);
});

test("bounces of a large edition that was stopped early suppress no more addresses, also after an undo", async () => {
  await addAllNewsReaders(site.app, readers(60));
  const id = await sent("sending");
  await site.app.db.updateTable("editions").set({ selected: 1_000 }).where("id", "=", id).execute();
  await report(...readers(20).map((address) => bounced(address, "5.1.1")));
  await eventually("the edition is paused", () =>
    site.app.db.selectFrom("editions").select("id").where("state", "=", "paused").executeTakeFirst(),
  );
  const act = (action: "unsuppress" | "cancel") =>
    actOnEdition(site.app, { date: "2026-11-24", number: 1, action, actor: "test" });
  expect(await act("unsuppress")).toMatchObject({ affected: 20 });
  await report(...readers(40).map((address) => bounced(address, "5.1.1")));
  expect(await counts(id)).toMatchObject({ hard: 40, spared: 20 });
  await act("cancel");
  await report(...readers(60).map((address) => bounced(address, "5.1.1")));
  expect(await counts(id)).toMatchObject({ hard: 60, spared: 40 });
  expect(new Set(await Promise.all(readers(60).map(status)))).toEqual(new Set(["active"]));
});

test("retention removes the outcomes with the deliveries and keeps their counts", async () => {
  await addAllNewsReaders(site.app, readers(2));
  const id = await sent();
  await report(bounced("r0@example.org", "5.2.2"));
  const { database, clock, log, options } = site.app;
  await retain({ database, clock, log, options });
  expect(await outcomesOf()).toHaveLength(1);
  await sql`update editions set final_counts = '{}' where id = ${id}`.execute(site.app.db);
  await retain({ database, clock, log, options });
  expect(await outcomesOf()).toEqual([]);
  expect(await counts(id)).toMatchObject({ soft: 1 });
});

test("an erased reader's outcomes stay in the counts and name nobody", async () => {
  await addAllNewsReaders(site.app, readers(2));
  const id = await sent();
  await report(bounced("r0@example.org", "5.2.2", { text: "mailbox of r0 is full" }));
  const reader = (await findByAddress(site.app.db, "r0@example.org"))!;
  expect(await personalData(site.app, reader.id)).toMatchObject({
    bouncesAndComplaints: [{ edition: "2026-11-24", outcome: "bounced", kind: "soft", text: "mailbox of r0 is full" }],
  });
  await erase(site.app, reader.id);
  expect(await outcomesOf()).toMatchObject([{ kind: "soft", text: null }]);
  expect(await counts(id)).toMatchObject({ soft: 1 });
  expect(await report(bounced("r0@example.org", "5.1.1"))).toMatchObject([{ result: "refused" }]);
});

test("a bounce that comes back after the reader's erasure is stored without the server's words", async () => {
  await addAllNewsReaders(site.app, readers(1));
  const editionId = await sent();
  const { db, options } = site.app;
  const { id } = await db.selectFrom("deliveries").select("id").executeTakeFirstOrThrow();
  const path = { secret: options.secret, bounceAddress: options.bounceAddress! };
  const address = returnPath(path, { kind: "delivery", editionId, id }, "r0@example.org");
  await erase(site.app, (await findByAddress(db, "r0@example.org"))!.id);
  expect(await report(bounced(address, "5.1.1", { text: "no mailbox r0" }))).toMatchObject([{ result: "recorded" }]);
  expect(await outcomesOf()).toMatchObject([{ kind: "hard", code: "5.1.1", text: null }]);
});

test("bounces and complaints count for the mailbox provider that accepted the email, at the time of the email", async () => {
  await addAllNewsReaders(site.app, ["a@gmail.com", "b@googlemail.com", "c@example.org"]);
  await sent();
  await addCounts(site.app.db, new Map([["google", { accepted: 2, deferred: 0, refused: 0 }]]), site.clock.at);
  const at = site.clock.at;
  site.clock.at = new Date("2026-11-26T08:00:00Z");
  await report(
    bounced("a@gmail.com", "4.2.2"),
    bounced("c@example.org", "5.7.1"),
    { address: "b@googlemail.com", outcome: "complained" },
    { address: "b@googlemail.com", outcome: "complained" },
    bounced("a@gmail.com", "5.1.1"),
  );
  const none = { emails: 0, hard: 0, soft: 0, policy: 0, complained: 0 };
  const counted = [
    { ...none, name: "google", emails: 2, hard: 1, complained: 1 },
    { ...none, name: "example.org", policy: 1 },
  ];
  expect(await listProviderOutcomes(site.app.db, site.clock.at, 10)).toEqual(counted);
  const weekLater = new Date(at.getTime() + 7 * 24 * 3_600_000);
  expect(await listProviderOutcomes(site.app.db, weekLater, 10)).toEqual([]);
});

test("each way in is remembered with its days, also for reports that fit no email", async () => {
  const { db } = site.app;
  const clock = { now: () => site.clock.at };
  const sources = createReportSources({ db, clock });
  for (const [time, times] of [
    ["2026-11-01T08:00:00Z", 3],
    ["2026-11-01T08:00:59Z", 1],
    ["2026-11-02T20:00:00Z", 2],
    ["2026-11-04T08:00:00Z", 1],
  ] as const) {
    site.clock.at = new Date(time);
    for (let i = 0; i < times; i += 1) await sources.note("listener");
  }
  const pause = 0.8 * 36 + 0.2 * 36;
  const first = { source: "listener", firstAt: new Date("2026-11-01T08:00:00Z"), days: 3 };
  expect((await listReportSources(db))[0]).toMatchObject({ ...first, reports: 7, lastAt: site.clock.at });
  expect((await listReportSources(db))[0]!.usualPauseMs! / 3_600_000).toBeCloseTo(pause);
  site.clock.at = new Date("2026-11-04T08:00:30Z");
  await sources.note("listener");
  expect((await listReportSources(db))[0]).toMatchObject({ reports: 7 });
  await sources.close();
  expect((await listReportSources(db))[0]).toMatchObject({ reports: 8, lastAt: site.clock.at });
  expect(await report(bounced("nobody@example.org", "5.1.1"))).toMatchObject([{ result: "refused" }]);
  expect(await listReportSources(db)).toMatchObject([{ source: "api", lastAt: site.clock.at }, { source: "listener" }]);
});
