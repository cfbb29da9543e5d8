import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readFile, rename, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setFlagsFromString } from "node:v8";
import { PGlite } from "@electric-sql/pglite";
import { Kysely, PostgresDialect } from "kysely";
import pg from "pg";
import { createEmbeddedPool, searchPath, type DbPool } from "./embedded-pool.ts";
import { holdAlone, holdLock, type Hold } from "./hold.ts";
import { migrate, migrateQueue } from "./migrate.ts";
import type { Db, Schema } from "./schema.ts";
import { asOptions, sessionSettings, valueTypes } from "./session.ts";
import { templateFile, unpackFolder } from "./template.ts";

export interface Database {
  engine: "embedded" | "postgres";
  pool: DbPool;
  db: Db;
  /** Checks on a separate connection whether the server accepts queries. Throws if not. */
  ping(): Promise<void>;
  /** Takes the right to do something that only one process may do at a time; null while another one has it. */
  hold(name: string): Promise<Hold | null>;
  close(): Promise<void>;
}

// PGlite's 128 MB of shared buffers would double the memory of the process; the system caches the files anyway.
const startParams = [...PGlite.defaultStartParams, "-c", "shared_buffers=32MB"];

/**
 * Opens PGlite in `dir`, or in a temporary folder if `dir` is null, and migrates it to this release, including BullMQ's
 * tables. The caller holds the lock of the data folder.
 */
export async function openEmbedded(dir: string | null): Promise<Database> {
  const temporary = dir === null ? await mkdtemp(join(tmpdir(), "dayletter-")) : null;
  const folder = dir ?? join(temporary!, "db");
  if (!existsSync(join(folder, "PG_VERSION"))) await makeFolder(folder);
  // Optimising hot functions costs 1 s and 50 MB at start, and hardly makes later statements faster. Node 24 accepts this
  // flag only on its command line.
  setFlagsFromString("--liftoff-only");
  const pglite = await PGlite.create({ dataDir: folder, startParams });
  const closeEngine = async (): Promise<void> => {
    await pglite.close();
    if (temporary) await rm(temporary, { recursive: true, force: true });
  };
  try {
    const pool = await createEmbeddedPool(pglite);
    await migrate(pool);
    await migrateQueue(pool);
    const db = kysely(pool);
    return {
      engine: "embedded",
      pool,
      db,
      ping: async () => undefined,
      hold: holdAlone,
      close: async () => {
        await db.destroy();
        await closeEngine();
      },
    };
  } catch (error) {
    await closeEngine();
    throw error;
  }
}

/** The folder is renamed when it is complete, so that an interrupted first start leaves no incomplete data folder. */
async function makeFolder(folder: string): Promise<void> {
  const unfinished = `${folder}.unfinished`;
  await rm(unfinished, { recursive: true, force: true });
  await mkdir(unfinished, { recursive: true, mode: 0o700 });
  if (existsSync(templateFile)) await unpackFolder(await readFile(templateFile), unfinished);
  else await (await PGlite.create(unfinished)).close();
  await rename(unfinished, folder);
}

/**
 * Connects to PostgreSQL without running migrations: `migrate` and a starting server run them.
 * @param url a `postgres://` connection string
 * @param limits.silentMs how long a transaction may be idle before the server ends it
 */
export function openPostgres(url: string, { max = 10, silentMs }: { max?: number; silentMs?: number } = {}): Database {
  const pool = new pg.Pool({
    connectionString: url,
    max,
    options: asOptions({ search_path: searchPath.replaceAll(" ", ""), ...sessionSettings(silentMs) }),
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000,
    application_name: "dayletter",
    types: valueTypes,
    Client: TimeoutClient,
  });
  // A dropped idle connection is replaced at the next use. Without a listener the error would end the process.
  pool.on("error", () => undefined);
  // The same for a connection that drops during a query, although the query fails too.
  pool.on("connect", (client) => client.on("error", () => undefined));
  const db = kysely(pool);
  return {
    engine: "postgres",
    pool,
    db,
    ping: () => pingPostgres(url),
    hold: (name) => holdLock(url, name),
    close: () => db.destroy(),
  };
}

const connectMs = 5_000;

/** Connecting times out, so that an attempt during an outage does not outlast it. */
class TimeoutClient extends pg.Client {
  constructor(config?: pg.ClientConfig) {
    super({ ...config, connectionTimeoutMillis: connectMs });
  }
}

/** Connects, runs one query and disconnects. Throws if this fails. */
export async function pingPostgres(url: string): Promise<void> {
  const client = new TimeoutClient({ connectionString: url });
  client.on("error", () => undefined);
  try {
    await client.connect();
    await client.query("select 1");
  } finally {
    void client.end().catch(() => undefined);
  }
}

/** The version and the clock of a server, and its schema. @throws with the code 42P01 (undefined_table) if it is empty */
export async function serverFacts(
  pool: DbPool,
): Promise<{ version: string; now: Date; /** null if no migration ran */ schema: number | null }> {
  const { rows } = await pool.query<{ version: string; now: Date; schema: number | null }>(
    "select current_setting('server_version') as version, now() as now, (select max(version) from schema_versions) as schema",
  );
  return rows[0]!;
}

function kysely(pool: DbPool): Db {
  return new Kysely<Schema>({ dialect: new PostgresDialect({ pool: pool as unknown as pg.Pool }) });
}
