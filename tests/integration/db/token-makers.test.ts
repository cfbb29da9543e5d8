import { afterAll, beforeAll, expect, test } from "vitest";
import { migrate } from "../../../src/db/migrate.ts";
import { databaseBefore, type OldDatabase } from "../../support/database-before.ts";

let old: OldDatabase;
beforeAll(async () => {
  old = await databaseBefore(13);
});
afterAll(() => old.close());

test("an upgrade finds out who made the present tokens, and revokes those of disabled operators", async () => {
  const { pool } = old;
  await pool.query(`
    insert into operators (name, name_key, role, created_at, disabled_at)
    values ('Ada', 'ada', 'owner', now(), null), ('Bo', 'bo', 'owner', now(), now())`);
  // The actor of each is an operator, or a token that was made before.
  const made = [
    ["setting", null],
    ["ada one", "Ada"],
    ["bo one", "Bo"],
    ["bo two", "bo one"],
    ["bo three", "bo two"],
    ["by setting", "setting"],
  ] as const;
  for (const [n, [name, actor]] of made.entries()) {
    const at = new Date(Date.UTC(2026, 10, 1, n));
    await pool.query("insert into tokens (name, hash, role, created_at) values ($1, $2, 'owner', $3)", [
      name,
      Buffer.from(name),
      at,
    ]);
    if (actor !== null)
      await pool.query("insert into audit (at, actor, action, subject) values ($1, $2, 'token add', $3)", [
        at,
        actor,
        name,
      ]);
  }
  await migrate(pool);
  const { rows } = await pool.query<{ name: string; maker: string | null; revoked: boolean }>(`
    select t.name, o.name as maker, revoked_at is not null as revoked
    from tokens t left join operators o on o.id = t.operator_id order by t.id`);
  expect(rows).toEqual([
    { name: "setting", maker: null, revoked: false },
    { name: "ada one", maker: "Ada", revoked: false },
    { name: "bo one", maker: "Bo", revoked: true },
    { name: "bo two", maker: "Bo", revoked: true },
    { name: "bo three", maker: "Bo", revoked: true },
    { name: "by setting", maker: null, revoked: false },
  ]);
  const log = await pool.query("select 1 from audit where action = 'token revoke'");
  expect(log.rows).toHaveLength(3);
});
