import { randomBytes } from "node:crypto";
import { Redis } from "ioredis";
import pg from "pg";
import { migrate } from "../../src/db/migrate.ts";
import { openPostgres, type Database } from "../../src/db/open.ts";

export interface Services {
  /** A PostgreSQL database whose role may create databases. */
  databaseUrl: string;
  redisUrl: string;
}

/**
 * The real servers of this run, from TEST_DATABASE_URL and TEST_REDIS_URL, or null when either is missing.
 * Under CI=true nothing may be left out, so there it throws instead.
 */
export function services(): Services | null {
  const databaseUrl = process.env["TEST_DATABASE_URL"];
  const redisUrl = process.env["TEST_REDIS_URL"];
  if (databaseUrl && redisUrl) return { databaseUrl, redisUrl };
  if (process.env["CI"] === "true") {
    throw new Error("TEST_DATABASE_URL and TEST_REDIS_URL must both be set when CI=true: run .ci/run.");
  }
  return null;
}

/** A new, empty PostgreSQL database of a random name. Take one per test file and `drop` it at the end. */
export async function freshDatabase(): Promise<{ url: string; drop(): Promise<void> }> {
  const name = `dayletter_test_${randomBytes(6).toString("hex")}`;
  const server = required().databaseUrl;
  const url = await createDatabase(server, name);
  return { url, drop: () => query(server, `drop database if exists ${name} with (force)`) };
}

/** @param server the URL of a database whose role may create databases @returns the URL of the new one */
export async function createDatabase(server: string, name: string): Promise<string> {
  await query(server, `create database ${name}`);
  const url = new URL(server);
  url.pathname = `/${name}`;
  return url.href;
}

/** The same with this release's tables in it, and open. `close` drops it. */
export async function freshRecords(): Promise<Pick<Database, "db"> & { close(): Promise<void> }> {
  const fresh = await freshDatabase();
  const database = openPostgres(fresh.url);
  await migrate(database.pool);
  return {
    db: database.db,
    async close() {
      await database.close();
      await fresh.drop();
    },
  };
}

/**
 * An empty logical Redis database, numbered by the test worker, so that files running side by side never meet.
 * Take one per test file. `flush` empties it, and only it.
 */
export async function freshRedis(): Promise<{ url: string; flush(): Promise<void> }> {
  const url = new URL(required().redisUrl);
  url.pathname = `/${process.env["VITEST_POOL_ID"] ?? "0"}`;
  const flush = async () => {
    const redis = new Redis(url.href, { lazyConnect: true, maxRetriesPerRequest: 1 });
    try {
      await redis.connect();
      await redis.flushdb();
    } finally {
      redis.disconnect();
    }
  };
  await flush();
  return { url: url.href, flush };
}

function required(): Services {
  const found = services();
  if (found === null) throw new Error("This test needs real servers: run `npm run services -- npm test`.");
  return found;
}

async function query(url: string, statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}
