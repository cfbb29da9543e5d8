import { existsSync } from "node:fs";
import { join } from "node:path";
import { Redis } from "ioredis";
import { Refusal, reasonOf } from "../../base/errors.ts";
import type { Config } from "../../config/load.ts";
import { lockDataFolder } from "../../db/lock.ts";
import { readMigrations } from "../../db/migrate.ts";
import { openEmbedded, openPostgres, serverFacts, type Database } from "../../db/open.ts";
import { sayFailure } from "../../texts/catalogue.ts";
import { fail, ok, warn, type Check } from "./check.ts";

/** Result of the database check: an open database with this release's schema, one that a running server uses, or neither. */
export interface Records {
  checks: Check[];
  database: Database | null;
  /** A running server uses the embedded database. */
  held: boolean;
  close(): Promise<void>;
}

const nothing = { database: null, held: false, close: async () => undefined };

/** Opens the database. Opening an embedded database migrates it; PostgreSQL is not migrated. */
export async function openRecords(config: Config, now: Date): Promise<Records> {
  if (config.databaseUrl !== null) return openServer(config.databaseUrl, now);
  if (!existsSync(join(config.dataDir, "db", "PG_VERSION"))) {
    return {
      ...nothing,
      checks: [ok("records", `Embedded database in ${config.dataDir}/db. The first start creates it.`)],
    };
  }
  let unlock: (() => void) | null = null;
  try {
    // No waiting: if a server is running, the caller asks that one.
    unlock = await lockDataFolder(config.dataDir, "doctor", 0);
    const database = await openEmbedded(join(config.dataDir, "db"));
    const release = unlock;
    return {
      checks: [
        ok(
          "records",
          `Embedded database in ${config.dataDir}/db, schema ${newest()}. For production, set DATABASE_URL.`,
        ),
      ],
      database,
      held: false,
      async close() {
        await database.close();
        release();
      },
    };
  } catch (error) {
    if (unlock === null && error instanceof Refusal) return { ...nothing, held: true, checks: [] };
    unlock?.();
    return { ...nothing, checks: [fail("records", `The embedded database cannot be opened. ${sayFailure(error)}`)] };
  }
}

async function openServer(url: string, now: Date): Promise<Records> {
  const database = openPostgres(url, { max: 1 });
  const { host } = new URL(url);
  const close = (): Promise<void> => database.close();
  try {
    const { version, schema, now: theirs } = await serverFacts(database.pool);
    const checks = [judgeSchema(schema, `PostgreSQL ${version} at ${host}`), ...judgeClock(now, theirs)];
    return { checks, database: checks[0]!.level === "ok" ? database : null, held: false, close };
  } catch (error) {
    const empty = (error as { code?: string }).code === "42P01"; // undefined_table
    const check = empty
      ? warn(
          "records",
          `PostgreSQL at ${host} is empty. To create the tables, run \`dayletter migrate\` or start the server.`,
        )
      : fail(
          "records",
          `PostgreSQL at ${host} cannot be used (${sayFailure(error)}). Check DATABASE_URL, and that PostgreSQL is running.`,
        );
    return { ...nothing, checks: [check], close };
  }
}

function judgeSchema(applied: number | null, where: string): Check {
  const known = Math.max(0, ...readMigrations().map((migration) => migration.version));
  if (applied === known) return ok("records", `${where}, schema ${newest()}.`);
  if ((applied ?? 0) < known) return fail("records", `${where} has an older schema. Run \`dayletter migrate\`.`);
  return fail(
    "records",
    `${where} has schema ${applied}, which is newer than this release. Install the release that created it.`,
  );
}

/** This machine's clock decides due times and retries, and is compared with times that other machines wrote. */
function judgeClock(ours: Date, theirs: Date): Check[] {
  const seconds = Math.round(Math.abs(ours.getTime() - theirs.getTime()) / 1_000);
  if (seconds <= 5) return [];
  return [
    warn(
      "clock",
      `The clocks of this machine and of PostgreSQL differ by ${seconds} s. Use a time service (NTP) on both.`,
    ),
  ];
}

function newest(): string {
  return readMigrations().at(-1)?.name ?? "none";
}

/** Oldest version that BullMQ supports. */
const oldest = [6, 2] as const;

export async function checkQueue(config: Pick<Config, "redisUrl" | "embedded">): Promise<Check[]> {
  if (config.redisUrl !== null) return checkRedis(config.redisUrl);
  return [
    ok(
      "queue",
      config.embedded.queue === "postgres" ? "The queue is in PostgreSQL." : "The queue is in the embedded database.",
    ),
  ];
}

async function checkRedis(url: string): Promise<Check[]> {
  const { host } = new URL(url);
  const redis = new Redis(url, {
    lazyConnect: true,
    connectTimeout: 5_000,
    retryStrategy: () => null,
    maxRetriesPerRequest: 0,
  });
  let reason: unknown;
  redis.on("error", (error) => (reason = error));
  try {
    await redis.connect();
    const info = `${await redis.info("server")}\n${await redis.info("memory")}\n${await redis.info("persistence")}`;
    return judgeRedis(host, info);
  } catch (error) {
    return [
      fail(
        "queue",
        `Redis at ${host} cannot be used (${reasonOf(reason ?? error)}). Check REDIS_URL, and that Redis is running.`,
      ),
    ];
  } finally {
    redis.disconnect();
  }
}

/** @param info sections server, memory and persistence of the INFO command */
export function judgeRedis(host: string, info: string): Check[] {
  const lines = info.split(/\r?\n/);
  const field = (key: string): string | null =>
    lines.find((line) => line.startsWith(`${key}:`))?.slice(key.length + 1) ?? null;
  const version = field("redis_version") ?? "of unknown version";
  const [major = 0, minor = 0] = version.split(".").map(Number);
  const checks: Check[] = [];
  if (major < oldest[0] || (major === oldest[0] && minor < oldest[1])) {
    checks.push(fail("queue", `Redis ${version} at ${host} is too old. Install ${oldest.join(".")} or newer.`));
  } else checks.push(ok("queue", `Redis ${version} at ${host}.`));
  const policy = field("maxmemory_policy");
  if (policy !== null && policy !== "noeviction") {
    checks.push(
      warn(
        "queue",
        `Redis may delete jobs when its memory is full (maxmemory-policy ${policy}). Set maxmemory-policy to noeviction.`,
      ),
    );
  }
  if (field("aof_enabled") === "0") {
    checks.push(
      warn(
        "queue",
        "Redis loses jobs when it restarts. Dayletter recreates them within a minute. To keep them, set `appendonly yes`.",
      ),
    );
  }
  return checks;
}
