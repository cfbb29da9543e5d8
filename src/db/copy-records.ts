import type { DbClient, DbPool } from "./embedded-pool.ts";

const rowsAtATime = 500;

/** Tables of ours, each behind those that it refers to. `schema_versions` belongs to its database and stays there. */
const tablesInOrder = `
  with recursive ours as (
    select c.oid, c.relname::text as name from pg_class c
    where c.relnamespace = 'public'::regnamespace and c.relkind = 'r' and c.relname <> 'schema_versions'
  ), depth as (
    select oid, name, 0 as depth from ours
    union
    select o.oid, o.name, d.depth + 1 from ours o
    join pg_constraint f on f.conrelid = o.oid and f.contype = 'f' and f.confrelid <> o.oid
    join depth d on d.oid = f.confrelid
  )
  select name from depth group by name order by max(depth), name`;

/** How many rows came over, by table. */
export type Copied = Readonly<Record<string, number>>;

/**
 * Copies every record of one database into another, both at this release's schema: ids, keys and times as they are, so
 * that links in mails go on to work. All of it or nothing. BullMQ's tables stay behind: the records say what is to do.
 *
 * @returns null, and has copied nothing, when the other one holds records already
 */
export async function copyRecords(from: DbPool, to: DbPool): Promise<Copied | null> {
  const [source, target] = await Promise.all([from.connect(), to.connect()]);
  try {
    await source.query("begin isolation level repeatable read read only");
    await target.query("begin");
    const { rows: tables } = await target.query<{ name: string }>(tablesInOrder);
    const copied: Record<string, number> = {};
    for (const { name } of tables) {
      const table = `public."${name}"`;
      // Whoever starts a server on it meanwhile waits, and then finds the records.
      await target.query(`lock table ${table} in share row exclusive mode`);
      const { rows } = await target.query(`select 1 from ${table} limit 1`);
      if (rows.length > 0) {
        await target.query("rollback");
        return null;
      }
      copied[name] = await copyTable(source, target, table);
    }
    await continueSequences(source, target);
    await target.query("commit");
    await target.query("analyze");
    return copied;
  } catch (error) {
    await target.query("rollback").catch(() => undefined);
    throw error;
  } finally {
    await source.query("rollback").catch(() => undefined);
    source.release();
    target.release();
  }
}

/** Values go as PostgreSQL's own JSON texts, and are never JavaScript's numbers or dates on the way. */
async function copyTable(source: DbClient, target: DbClient, table: string): Promise<number> {
  await source.query(`declare records no scroll cursor for select row_to_json(t)::text as record from ${table} t`);
  let count = 0;
  for (;;) {
    const { rows } = await source.query<{ record: string }>(`fetch ${rowsAtATime} from records`);
    if (rows.length === 0) break;
    await target.query(
      `insert into ${table} overriding system value select * from json_populate_recordset(null::${table}, $1::json)`,
      [`[${rows.map(({ record }) => record).join(",")}]`],
    );
    count += rows.length;
  }
  await source.query("close records");
  return count;
}

/** The next id follows the last that was given. */
async function continueSequences(source: DbClient, target: DbClient): Promise<void> {
  const { rows } = await source.query<{ name: string }>(
    "select sequencename::text as name from pg_sequences where schemaname = 'public'",
  );
  for (const { name } of rows) {
    const sequence = `public."${name}"`;
    const found = await source.query<{ last: string; called: boolean }>(
      `select last_value::text as last, is_called as called from ${sequence}`,
    );
    const { last, called } = found.rows[0]!;
    await target.query("select setval($1::regclass, $2::bigint, $3::boolean)", [sequence, last, called]);
  }
}
