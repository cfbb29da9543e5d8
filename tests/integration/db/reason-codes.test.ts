import { afterAll, beforeAll, expect, test } from "vitest";
import { migrate } from "../../../src/db/migrate.ts";
import type { Reason } from "../../../src/db/edition-reason.ts";
import { databaseBefore, type OldDatabase } from "../../support/database-before.ts";

let old: OldDatabase;
beforeAll(async () => {
  old = await databaseBefore(15);
});
afterAll(() => old.close());

const at = { sendAt: "07:00", timezone: "Europe/Berlin" };
const deadline = "2026-11-24T06:45:00Z";
const sentences: [string, Reason][] = [
  [
    "The service was not running at 07:00 (Europe/Berlin) and came back less than an hour later; its articles go into the next edition.",
    { code: "missed_service_down", data: { ...at, hours: 0 } },
  ],
  [
    "The service was not running at 07:00 (Europe/Berlin) and came back 13 hours later; its articles go into the next edition.",
    { code: "missed_service_down", data: { ...at, hours: 13 } },
  ],
  [
    "The service was not running at 07:00 (Europe/Berlin) and came back 2 days later; its articles go into the next edition.",
    { code: "missed_service_down", data: { ...at, hours: 48 } },
  ],
  [
    "Its time, 07:00 (Europe/Berlin), had passed when the schedule was changed; its articles go into the next edition.",
    { code: "missed_schedule_changed", data: at },
  ],
  ["Sent 90 minutes late: nothing was running when it was due.", { code: "sent_late", data: { minutes: 90 } }],
  [
    "Sent 180 minutes late: its mail could not be made before.",
    { code: "sent_late_after_template_failed", data: { minutes: 180 } },
  ],
  ["There was no new article for this edition.", { code: "no_articles", data: {} }],
  ["Approved by Ada B. (x).", { code: "approved_by", data: { actor: "Ada B. (x)" } }],
  [
    "It waits for approval until 07:45 (Europe/Berlin), then it goes out by itself.",
    { code: "waiting_for_approval", data: { until: deadline, timezone: "Europe/Berlin", afterwards: "send" } },
  ],
  [
    "It waits for approval until 07:45 (Europe/Berlin), and stays held if none comes.",
    { code: "waiting_for_approval", data: { until: deadline, timezone: "Europe/Berlin", afterwards: "hold" } },
  ],
  [
    "Sent without approval, which nobody had given by 07:45 (Europe/Berlin).",
    { code: "sent_without_approval", data: { deadline, timezone: "Europe/Berlin" } },
  ],
  [
    "Paused because the relay refuses every mail: 554 5.7.1 no: (x).",
    { code: "relay_refuses_all", data: { reply: "554 5.7.1 no: (x)." } },
  ],
  [
    "Paused because the relay says that many addresses do not exist: 1,020 of the first 2,000. Look at the replies.",
    { code: "many_addresses_gone", data: { gone: 1_020, answered: 2_000 } },
  ],
  ["Ada took its 3 suppressions back.", { code: "suppressions_removed", data: { actor: "Ada", count: 3 } }],
  ["Its mail cannot be made: no tag.", { code: "template_failed", data: { text: "no tag." } }],
  [
    "Held to be looked at: what was found is mended, and it waits for approval.",
    { code: "held_by_checks", data: { findings: [] } },
  ],
  [
    "Held to be looked at: Wire has brought nothing for 5 days.",
    {
      code: "held_by_checks",
      data: { findings: [{ code: "other", data: { text: "Wire has brought nothing for 5 days." } }] },
    },
  ],
  ["A wrong headline", { code: "other", data: { text: "A wrong headline" } }],
];

test("an upgrade turns the sentences of editions into codes", async () => {
  const { pool } = old;
  const reasons = [...sentences.map(([reason]) => reason), null];
  for (const [number, reason] of reasons.entries()) {
    await pool.query(
      `insert into editions (date, number, state, timezone, due_at, opened_at, approve_by, reason)
       values ('2026-11-24', $1, 'finished', 'Europe/Berlin', now(), now(), $2, $3)`,
      [number + 1, deadline, reason],
    );
  }
  await migrate(pool);
  const { rows } = await pool.query<{ code: string | null; data: object | null }>(
    "select reason_code as code, reason_data as data from editions order by number",
  );
  expect(rows).toEqual([...sentences.map(([, reason]) => reason), { code: null, data: null }]);
});
