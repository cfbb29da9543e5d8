import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { runMigrations } from "bullmq";
import { Refusal } from "../base/errors.ts";
import { packageRoot } from "../package-root.ts";
import { searchPath, type DbPool } from "./embedded-pool.ts";

export interface Migration {
  version: number;
  name: string;
  sql: string;
}

/** "DAYL". Any number works if every node uses the same one. */
const advisoryLock = 0x4441594c;

export const migrationsFolder: string = join(packageRoot, "src/db/migrations");

/** The numbered files of `src/db/migrations`, in order. */
export function readMigrations(folder = migrationsFolder): Migration[] {
  return readdirSync(folder)
    .filter((file) => file.endsWith(".sql"))
    .sort()
    .map((file) => ({
      version: Number(file.slice(0, 4)),
      name: file.slice(0, -4),
      sql: readFileSync(join(folder, file), "utf8"),
    }));
}

/**
 * Migrates the database to this release's schema. Each file is applied once, all in one transaction under a lock, so
 * that several nodes can start at the same time. Refuses a database that a newer release has migrated.
 * @returns the names of the migrations that were applied now
 */
export async function migrate(pool: DbPool, migrations: readonly Migration[] = readMigrations()): Promise<string[]> {
  const client = await pool.connect();
  try {
    await client.query("begin");
    await client.query("select pg_advisory_xact_lock($1)", [advisoryLock]);
    await client.query(
      "create table if not exists schema_versions (version int primary key, name text not null, applied_at timestamptz not null default now())",
    );
    const { rows } = await client.query<{ version: number; name: string }>("select version, name from schema_versions");
    refuseNewer(rows, migrations);
    const known = new Set(rows.map((row) => row.version));
    const pending = migrations.filter((migration) => !known.has(migration.version));
    for (const { version, name, sql } of pending) {
      await client.query(sql);
      await client.query("insert into schema_versions (version, name) values ($1, $2)", [version, name]);
    }
    await client.query("commit");
    return pending.map((migration) => migration.name);
  } catch (error) {
    await client.query("rollback").catch(() => undefined);
    throw error;
  } finally {
    client.release();
  }
}

/**
 * Migrates BullMQ's tables, if the queue is in this database. BullMQ locks inside its transaction, where a connection
 * that has waited still sees no schema and fails to create it. So nodes wait for each other here instead.
 */
export async function migrateQueue(pool: DbPool): Promise<void> {
  const client = await pool.connect();
  let failed = true;
  try {
    await client.query("select pg_advisory_lock($1)", [advisoryLock]);
    await runMigrations(client as Parameters<typeof runMigrations>[0]);
    await client.query(`set search_path = ${searchPath}`);
    await client.query("select pg_advisory_unlock($1)", [advisoryLock]);
    failed = false;
  } finally {
    // A failed connection is closed, which releases its lock.
    client.release(failed);
  }
}

function refuseNewer(applied: readonly { version: number; name: string }[], known: readonly Migration[]): void {
  const newest = Math.max(0, ...known.map((migration) => migration.version));
  const beyond = applied.filter((row) => row.version > newest).sort((a, b) => b.version - a.version)[0];
  if (!beyond) return;
  throw new Refusal(409, "database_too_new", { schema: beyond.name, newest });
}
