import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { PGlite } from "@electric-sql/pglite";
import { Kysely, PostgresDialect } from "kysely";
import pg from "pg";
import { packageRoot } from "../base/root.ts";
import { createEmbeddedPool, searchPath, type DbPool } from "./embedded-pool.ts";
import { migrate, migrateQueue } from "./migrate.ts";
import type { Db, Schema } from "./schema.ts";
import { valueTypes } from "./types.ts";

export interface Database {
  engine: "embedded" | "postgres";
  pool: DbPool;
  db: Db;
  close(): Promise<void>;
}

/** A data folder with every table made at build time, so that a first start runs no `initdb` (2.5 s, 800 MB). */
export const templateFile: string = join(packageRoot, "dist/embedded.tar.gz");

/**
 * Opens PGlite in `dir`, or in memory when `dir` is null, and brings it to this release's schema, BullMQ's tables
 * included. The caller holds the lock of the data folder.
 */
export async function openEmbedded(dir: string | null): Promise<Database> {
  const pglite = dir === null ? await create("memory://", true) : await openFolder(dir);
  try {
    const pool = await createEmbeddedPool(pglite);
    await migrate(pool);
    await migrateQueue(pool);
    const db = kysely(pool);
    return {
      engine: "embedded",
      pool,
      db,
      close: async () => {
        await db.destroy();
        await pglite.close();
      },
    };
  } catch (error) {
    await pglite.close();
    throw error;
  }
}

/** A first start that was interrupted leaves its mark beside the folder; the half-made folder is then made anew. */
async function openFolder(dir: string): Promise<PGlite> {
  const mark = `${dir}.unfinished`;
  if (existsSync(mark)) rmSync(dir, { recursive: true, force: true });
  const fresh = !existsSync(join(dir, "PG_VERSION"));
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  if (fresh) writeFileSync(mark, "");
  const pglite = await create(dir, fresh);
  if (fresh) rmSync(mark);
  return pglite;
}

function create(dataDir: string, fresh: boolean): Promise<PGlite> {
  const template = fresh && existsSync(templateFile) ? { loadDataDir: gzipFile(templateFile) } : {};
  return PGlite.create({ dataDir, ...template });
}

/**
 * Connects to PostgreSQL. Migrations are the caller's decision: `migrate` and a starting server run them.
 * @param url a `postgres://` connection string
 */
export function openPostgres(url: string, max = 10): Database {
  const pool = new pg.Pool({
    connectionString: url,
    max,
    options: `-c search_path=${searchPath.replaceAll(" ", "")}`,
    application_name: "dayletter",
    types: valueTypes,
  });
  // An idle connection that drops is replaced at the next use; without a listener it would end the process.
  pool.on("error", () => undefined);
  const db = kysely(pool);
  return { engine: "postgres", pool, db, close: () => db.destroy() };
}

function kysely(pool: DbPool): Db {
  return new Kysely<Schema>({ dialect: new PostgresDialect({ pool: pool as unknown as pg.Pool }) });
}

function gzipFile(path: string): File {
  return new File([readFileSync(path)], "embedded.tar.gz", { type: "application/x-gzip" });
}
