import { PGlite } from "@electric-sql/pglite";
import { createEmbeddedPool, type DbPool } from "../../src/db/embedded-pool.ts";
import { migrate, readMigrations } from "../../src/db/migrate.ts";

/** An embedded database of an older release. `migrate(pool)` upgrades it. */
export interface OldDatabase {
  pool: DbPool;
  close(): Promise<void>;
}

/** The database as it was before the migration with this number. */
export async function databaseBefore(version: number): Promise<OldDatabase> {
  const pglite = await PGlite.create();
  const pool = await createEmbeddedPool(pglite);
  await migrate(
    pool,
    readMigrations().filter((migration) => migration.version < version),
  );
  return { pool, close: () => pglite.close() };
}
