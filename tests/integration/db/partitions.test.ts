import { afterAll, beforeAll, expect, test } from "vitest";
import { migrate } from "../../../src/db/migrate.ts";
import { databaseBefore, type OldDatabase } from "../../support/database-before.ts";

let old: OldDatabase;
beforeAll(async () => {
  old = await databaseBefore(25);
});
afterAll(() => old.close());

test("an upgrade keeps every delivery, and the next one gets the next number", async () => {
  const { pool } = old;
  await pool.query(`
    insert into editions (id, date, number, state, timezone, due_at, opened_at) overriding system value
    select id, '2026-01-01'::date + id, 1, 'finished', 'UTC', now(), now() from generate_series(1, 40) as id`);
  await pool.query(`
    insert into deliveries (edition_id, cohort_id, slice, tag_ids, domain, state, reply)
    select id, 1, 0, '{7}', 'example.org', case id when 40 then 'pending' else 'sent' end, '250 ok'
    from generate_series(1, 40) as id`);
  const { rows: before } = await pool.query("select * from deliveries order by id");
  await migrate(pool);
  const { rows: after } = await pool.query("select * from deliveries order by id");
  expect(after).toEqual(before);
  const { rows: parts } = await pool.query(
    "select pg_get_expr(relpartbound, oid) as bounds from pg_class where relispartition and relkind = 'r'",
  );
  expect(parts).toEqual([{ bounds: "FOR VALUES FROM (MINVALUE) TO ('48')" }]);
  const { rows: added } = await pool.query(
    "insert into deliveries (edition_id, cohort_id, slice, tag_ids, domain) values (40, 1, 0, '{}', 'example.org') returning id",
  );
  expect(added).toEqual([{ id: 41 }]);
});
