import { afterAll, beforeAll, expect, test } from "vitest";
import { migrate } from "../../../src/db/migrate.ts";
import type { OutcomeReason } from "../../../src/ledger/outcome.ts";
import { databaseBefore, type OldDatabase } from "../../support/database-before.ts";

let old: OldDatabase;
beforeAll(async () => {
  old = await databaseBefore(17);
});
afterAll(() => old.close());

const said = (code: OutcomeReason["code"], data: OutcomeReason["data"] = {}, reply: string | null = null) => ({
  code,
  data,
  reply,
});

/** A state and the reply of a delivery in the release before, and what it is now. */
const deliveries: [string, string | null, OutcomeReason][] = [
  ["sent", "250 2.0.0 kept", { code: null, data: null, reply: "250 2.0.0 kept" }],
  ["rejected", "550 5.1.1 no such user", { code: null, data: null, reply: "550 5.1.1 no such user" }],
  ["pending", null, { code: null, data: null, reply: null }],
  ["skipped", "subscriber was erased", said("erased")],
  ["skipped", "subscriber is suppressed", said("suppressed")],
  ["skipped", "subscriber is unsubscribed", said("not_subscribed")],
  ["skipped", "the edition was cancelled", said("edition_cancelled")],
  ["skipped", "the edition was cancelled; last answer: 451 later", said("edition_cancelled", {}, "451 later")],
  ["skipped", "an editor left out every article that this reader would have got", said("no_articles_left")],
  ["expired", "not sent in time", said("not_sent_in_time")],
  ["expired", "last answer: 450 4.2.0 greylisted", said("not_sent_in_time", {}, "450 4.2.0 greylisted")],
  ["expired", "last answer: connect ECONNREFUSED 127.0.0.1:25", said("not_sent_in_time")],
  ["unknown", "the sender stopped before the relay's answer was written down", said("sender_stopped")],
  ["unknown", "timeout: no reply for 600 s", said("timeout", { seconds: 600 })],
  ["unknown", "the relay closed the connection without a reply", said("connection_closed")],
  ["rejected", "The mail could not be made: no stencil", said("build_failed", { error: "no stencil" })],
  ["rejected", 'the recipient "a b@example.org" is not valid in an SMTP envelope', said("address_invalid")],
  [
    "rejected",
    "the message has 2000000 bytes and the relay accepts at most 1000000",
    said("message_too_large", { bytes: 2_000_000, limit: 1_000_000 }),
  ],
  ["deferred", "sending to the relay is paused after: 421 busy", said("relay_paused", { after: "421 busy" })],
  ["deferred", "read ECONNRESET", said("connection_lost", { error: "read ECONNRESET" })],
  ["deferred", 'Invalid recipient "a@b.example"', said("connection_lost", { error: 'Invalid recipient "<address>"' })],
];

test("what the release before said of deliveries, notices and alerts becomes codes and data", async () => {
  const { pool } = old;
  await pool.query(`
    insert into editions (id, date, number, state, timezone, due_at, opened_at) overriding system value
    values (1, '2026-11-24', 1, 'finished', 'UTC', now(), now())`);
  const { rows: cohorts } = await pool.query<{ id: number }>(
    "insert into cohorts (edition_id, positions, readers) values (1, '{}', 1) returning id",
  );
  for (const [state, reply] of deliveries) {
    await pool.query(
      "insert into deliveries (edition_id, cohort_id, slice, tag_ids, domain, state, reply) values (1, $1, 0, '{}', '', $2, $3)",
      [cohorts[0]!.id, state, reply],
    );
  }
  const notice =
    "insert into notices (kind, address, due_at, created_at, expires_at, state, reply, reason_code, payload)";
  await pool.query(
    `${notice} values ('sample', 'a@x', now(), now(), now(), 'rejected', 'no template', 'build_failed', '{}')`,
  );
  await pool.query(`${notice} values ('sample', 'a@x', now(), now(), now(), 'deferred', '451 later', null, '{}')`);
  const payload = { headline: "the relay is accepting email again", sentence: "Emails are. The alert was: It failed." };
  await pool.query(`${notice} values ('alert', 'a@x', now(), now(), now(), 'pending', null, null, $1)`, [payload]);
  await pool.query(
    "insert into alerts (kind, subject, sentence, seen_at, told_at) values ('relay', 'relay of one', 'Busy.', now(), now())",
  );

  await migrate(pool);

  const read = async (table: string) =>
    (await pool.query(`select reason_code as code, reason_data as data, reply from ${table} order by id`)).rows;
  expect(await read("deliveries")).toEqual(deliveries.map(([, , reason]) => reason));
  expect(await read("notices")).toEqual([
    said("build_failed", { error: "no template" }),
    { code: null, data: null, reply: "451 later" },
    { code: null, data: null, reply: null },
  ]);
  const { rows: queued } = await pool.query("select payload from notices where kind = 'alert'");
  expect(queued).toEqual([{ payload: { event: "cleared", kind: "relay", data: { text: "It failed." } } }]);
  const { rows: alerts } = await pool.query("select kind, data, notified_at is not null as notified from alerts");
  expect(alerts).toEqual([{ kind: "relay", data: { text: "Busy." }, notified: true }]);
});
