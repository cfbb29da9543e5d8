import type { DbClient, DbPool } from "./embedded-pool.ts";

const rowsAtATime = 500;

/** Our tables without their partitions, each after the tables that it references. `schema_versions` is not copied. */
const tablesInOrder = `
  with recursive ours as (
    select c.oid, c.relname::text as name from pg_class c
    where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and not c.relispartition and c.relname <> 'schema_versions'
  ), depth as (
    select oid, name, 0 as depth from ours
    union
    select o.oid, o.name, d.depth + 1 from ours o
    join pg_constraint f on f.conrelid = o.oid and f.contype = 'f' and f.confrelid <> o.oid
    join depth d on d.oid = f.confrelid
  )
  select name from depth group by name order by max(depth), name`;

/** The number of copied rows by table. */
export type Copied = Readonly<Record<string, number>>;

/**
 * Copies all records of one database to another in one transaction. Both have this release's schema. Ids, keys and times
 * do not change, so links in emails keep working. BullMQ's tables are not copied: the records say what to do.
 *
 * @returns null without copying anything if the target already has records
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
      // A server that starts on the target meanwhile waits, and then finds the records.
      await target.query(`lock table ${table} in share row exclusive mode`);
      const { rows } = await target.query(`select 1 from ${table} limit 1`);
      if (rows.length > 0) {
        await target.query("rollback");
        return null;
      }
      await copyPartitions(source, target, table);
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

/** The target's table gets the partitions of the source's. Its own are empty. */
async function copyPartitions(source: DbClient, target: DbClient, table: string): Promise<void> {
  const list = `
    select c.relname::text as name, pg_get_expr(c.relpartbound, c.oid) as bounds
    from pg_inherits i join pg_class c on c.oid = i.inhrelid where i.inhparent = '${table}'::regclass`;
  const own = await target.query<{ name: string }>(list);
  for (const { name } of own.rows) await target.query(`drop table public."${name}"`);
  const { rows } = await source.query<{ name: string; bounds: string }>(list);
  for (const { name, bounds } of rows) {
    await target.query(`create table public."${name}" partition of ${table} ${bounds}`);
  }
}

/** Values are copied as PostgreSQL's JSON text, because JavaScript numbers and dates would lose precision. */
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

/** Sequences continue after the last id. */
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
