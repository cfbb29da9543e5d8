import { randomBytes } from "node:crypto";
import { sql } from "kysely";
import { afterAll, beforeAll, expect, test } from "vitest";
import { silentLog } from "../../src/base/log.ts";
import type { Tx } from "../../src/db/schema.ts";
import { handleSignups, requestSignup } from "../../src/subscribers/signup.ts";
import { findByAddress } from "../../src/subscribers/store.ts";
import { openWording } from "../../src/texts/catalogue.ts";
import { freshRecords } from "../support/services.ts";
import { eventually } from "../support/world.ts";

const now = new Date("2026-11-24T08:00:00Z");
const clock = { now: () => now };
const wake = async (): Promise<void> => undefined;

let database: Awaited<ReturnType<typeof freshRecords>>;
beforeAll(async () => {
  database = await freshRecords();
  await sql`insert into tags (key, name, created_at) select n, n, ${now} from unnest(array['korea', 'huawei']) n`.execute(
    database.db,
  );
});
afterAll(() => database.close());

/** Runs `change` in a transaction that is committed only when the sign-up waits for it. */
async function signUpDuring(address: string, change: (tx: Tx) => Promise<unknown>): Promise<void> {
  const { db } = database;
  const form = { address, tags: ["huawei"], allTags: false, timezone: null, formUrl: null, from: "192.0.2.1" };
  await requestSignup({ db, clock, wake }, form);
  const options = { secret: randomBytes(24).toString("hex"), publicationName: "Telecoms Daily" };
  let handled: Promise<void> | undefined;
  await db.transaction().execute(async (tx) => {
    await change(tx);
    handled = handleSignups({ db, clock, wake, log: silentLog, options, words: openWording("en") });
    await eventually("the sign-up waits", async () => {
      const { rows } = await sql`select 1 from pg_stat_activity where wait_event_type = 'Lock'`.execute(db);
      return rows.length > 0;
    });
  });
  await handled;
}

const insert = (address: string, status: "active" | "pending") => sql`
  with reader as (
    insert into subscribers (key, address, address_key, status, created_at)
    values (${randomBytes(16)}, ${address}, ${address}, ${status}, ${now}) returning id
  )
  insert into subscriber_tags select reader.id, tags.id from reader, tags where tags.name = 'korea'`;

test.each([
  [
    "an import brings the reader",
    "imported@example.org",
    async () => undefined,
    (address: string, tx: Tx) => insert(address, "active").execute(tx),
  ],
  [
    "the reader confirms",
    "confirms@example.org",
    (address: string) => insert(address, "pending").execute(database.db),
    (address: string, tx: Tx) =>
      tx.updateTable("subscribers").set({ status: "active" }).where("address_key", "=", address).execute(),
  ],
])("a form that is sent while %s changes nothing about what they follow", async (_when, address, before, change) => {
  await before(address);
  await signUpDuring(address, (tx) => change(address, tx));
  expect(await findByAddress(database.db, address)).toMatchObject({ status: "active", tags: ["korea"] });
  const notices = await database.db.selectFrom("notices").select("kind").where("address", "=", address).execute();
  expect(notices).toEqual([{ kind: "already" }]);
});
