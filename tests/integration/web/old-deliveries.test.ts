import { sql } from "kysely";
import { afterAll, beforeAll, expect, test } from "vitest";
import { deliverSlice } from "../../../src/deliveries/deliver-slice.ts";
import { closeEdition } from "../../../src/editions/close.ts";
import { retain } from "../../../src/alerts/retention.ts";
import { signIn } from "../../support/sign-in.ts";
import { textOf } from "../../support/text.ts";
import { article, openWeb, type OpenWeb } from "./open.ts";

let site: OpenWeb;
let reader: number;
const first = "2026-11-24";
const name = (id: number): string => `2026-12-${String(id).padStart(2, "0")}`;

const partitions = async (): Promise<string[]> => {
  const { rows } = await sql<{ name: string }>`
    select inhrelid::regclass::text as name from pg_inherits where inhparent = 'deliveries'::regclass
    order by 1`.execute(site.app.db);
  return rows.map((row) => row.name);
};
/** So many dates were missed since: only the numbers of the editions matter. */
const missed = (ids: number[], closedAt: string) =>
  sql`
  insert into editions (date, number, state, timezone, due_at, opened_at, closed_at)
  select '2026-11-30'::date + id, 1, 'missed', 'UTC', ${closedAt}::timestamptz, ${closedAt}::timestamptz, ${closedAt}::timestamptz
  from unnest(${ids}::int[]) as id`.execute(site.app.db);

beforeAll(async () => {
  site = await openWeb({ SEND_AT: "06:00", KEEP_DELIVERIES_DAYS: "60" });
  await site.api("POST", "/articles", [article(1, ["huawei"])] as never);
  const confirmed = { confirmed: true, consent: { method: "phone" }, allTags: true };
  for (const who of ["ada", "bo"]) {
    reader = (await site.api("POST", "/subscribers", { address: `${who}@example.com`, ...confirmed })).json().id;
  }
  await site.api("POST", "/editions");
  const { id } = await site.app.db.selectFrom("editions").select("id").executeTakeFirstOrThrow();
  await site.render(id);
  await deliverSlice(site.app, { editionId: id, slice: 0 }, AbortSignal.timeout(10_000));
  await sql`update deliveries set state = 'rejected' where subscriber_id = ${reader}`.execute(site.app.db);
  expect(await closeEdition(site.app, id)).toBe(true);
});
afterAll(() => site.close());

test("the deliveries of old editions are removed a block at a time, and what is counted of them stays", async () => {
  const before = (await site.api("GET", `/editions/${first}`)).json();
  expect(before).toMatchObject({ deliveriesRemoved: false, allowed: expect.arrayContaining(["retry"]) });
  await sql`update editions set closed_at = '2026-08-01T06:00:00Z'`.execute(site.app.db);

  // The block still has numbers for editions to come.
  await missed([2, 3, 4], "2026-08-05T06:00:00Z");
  await retain(site.app);
  expect(await partitions()).toEqual(["deliveries_first", "deliveries_from_16"]);

  // One of the block's editions is too young.
  await missed([5], "2026-11-20T06:00:00Z");
  await missed([6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17], "2026-08-20T06:00:00Z");
  await retain(site.app);
  expect(await partitions()).toEqual(["deliveries_first", "deliveries_from_16", "deliveries_from_32"]);

  await sql`update editions set closed_at = '2026-08-20T06:00:00Z' where date = ${name(5)}`.execute(site.app.db);
  await retain(site.app);
  expect(await partitions()).toEqual(["deliveries_from_16", "deliveries_from_32"]);
  const after = (await site.api("GET", `/editions/${first}`)).json();
  expect(after.balance).toEqual(before.balance);
  expect(after.balance).toMatchObject({ selected: 2, sent: 1, rejected: 1 });
  expect(after).toMatchObject({ deliveriesRemoved: true, sentence: before.sentence });
  expect(after.allowed).not.toContain("retry");
});

test("a request for removed deliveries says that they are gone", async () => {
  const retry = await site.api("POST", `/editions/${first}/retry`);
  expect([retry.statusCode, retry.json().code]).toEqual([409, "deliveries_removed"]);
  const why = (await site.api("GET", `/subscribers/${reader}/why?date=${first}`)).json();
  expect(why.editions).toMatchObject([{ code: "deliveries-removed" }]);
  const page = await (await signIn(site)).get(`/operator/editions/${first}`);
  expect(page.body).toContain(textOf("edition.deliveries_removed"));
  expect(page.body).not.toContain('name="reply"');
});

test("an edition that is opened later has its place already", async () => {
  site.clock.at = new Date("2026-11-25T08:00:00Z");
  await site.api("POST", "/articles", [article(2, ["huawei"])] as never);
  expect((await site.api("POST", "/editions")).statusCode).toBe(201);
  const { rows } =
    await sql`select tableoid::regclass::text as part, count(*)::int as n from deliveries group by 1`.execute(
      site.app.db,
    );
  expect(rows).toEqual([{ part: "deliveries_from_16", n: 2 }]);
  expect(await partitions()).toEqual(["deliveries_from_16", "deliveries_from_32"]);
});
