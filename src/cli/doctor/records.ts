import { existsSync } from "node:fs";
import { join } from "node:path";
import { Refusal, reasonOf } from "../../base/errors.ts";
import type { Config } from "../../config/load.ts";
import { lockDataFolder } from "../../db/lock.ts";
import { readMigrations } from "../../db/migrate.ts";
import { openEmbedded, openPostgres, type Database } from "../../db/open.ts";
import { fail, ok, warn, type Check } from "./check.ts";

/** Result of the database check: an open database with this release's schema, one that a running server uses, or neither. */
export interface Records {
  checks: Check[];
  database: Database | null;
  /** A running server uses the embedded database. */
  held: boolean;
  close(): Promise<void>;
}

const name = "records";
const nothing = { database: null, held: false, close: async () => undefined };

/** Opens the database. Opening an embedded database migrates it; PostgreSQL is not migrated. */
export async function openRecords(config: Config, now: Date): Promise<Records> {
  if (config.databaseUrl !== null) return openServer(config.databaseUrl, now);
  if (!existsSync(join(config.dataDir, "db", "PG_VERSION"))) {
    return { ...nothing, checks: [ok(name, `Embedded database in ${config.dataDir}/db. The first start creates it.`)] };
  }
  let unlock: (() => void) | null = null;
  try {
    // No waiting: if a server is running, the caller asks that one.
    unlock = await lockDataFolder(config.dataDir, "doctor", 0);
    const database = await openEmbedded(join(config.dataDir, "db"));
    const release = unlock;
    return {
      checks: [
        ok(name, `Embedded database in ${config.dataDir}/db, schema ${newest()}. For production, set DATABASE_URL.`),
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
    return { ...nothing, checks: [fail(name, `The embedded database cannot be opened. ${reasonOf(error)}`)] };
  }
}

async function openServer(url: string, now: Date): Promise<Records> {
  const database = openPostgres(url, { max: 1 });
  const { host } = new URL(url);
  const close = (): Promise<void> => database.close();
  try {
    const { rows } = await database.pool.query<{ version: string; applied: number | null; now: Date }>(
      "select current_setting('server_version') as version, now() as now, (select max(version) from schema_versions) as applied",
    );
    const { version, applied, now: theirs } = rows[0]!;
    const checks = [judgeSchema(applied, `PostgreSQL ${version} at ${host}`), ...judgeClock(now, theirs)];
    return { checks, database: checks[0]!.level === "ok" ? database : null, held: false, close };
  } catch (error) {
    const empty = (error as { code?: string }).code === "42P01"; // undefined_table
    const check = empty
      ? warn(
          name,
          `PostgreSQL at ${host} is empty. To create the tables, run \`dayletter migrate\` or start the server.`,
        )
      : fail(
          name,
          `PostgreSQL at ${host} cannot be used (${reasonOf(error)}). Check DATABASE_URL, and that PostgreSQL is running.`,
        );
    return { ...nothing, checks: [check], close };
  }
}

function judgeSchema(applied: number | null, where: string): Check {
  const known = Math.max(0, ...readMigrations().map((migration) => migration.version));
  if (applied === known) return ok(name, `${where}, schema ${newest()}.`);
  if ((applied ?? 0) < known) return fail(name, `${where} has an older schema. Run \`dayletter migrate\`.`);
  return fail(
    name,
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
