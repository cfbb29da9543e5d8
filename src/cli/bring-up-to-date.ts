import { join } from "node:path";
import { Refusal, reasonOf } from "../base/errors.ts";
import type { Config } from "../config/load.ts";
import { lockDataFolder } from "../db/lock.ts";
import { migrate, migrateQueue } from "../db/migrate.ts";
import { openEmbedded, openPostgres } from "../db/open.ts";

/** Migrates the database to this release's schema. @returns a sentence about what it did @throws Refusal */
export async function bringUpToDate(config: Config): Promise<string> {
  if (config.databaseUrl !== null) return migrateServer(config.databaseUrl, config.embedded.queue === "postgres");
  const unlock = await lockDataFolder(config.dataDir, "migrate");
  try {
    await (await openEmbedded(join(config.dataDir, "db"))).close();
    return `The embedded database in ${config.dataDir} is up to date.`;
  } finally {
    unlock();
  }
}

async function migrateServer(url: string, withQueue: boolean): Promise<string> {
  const database = openPostgres(url, { max: 1 });
  const { host } = new URL(url);
  try {
    const applied = await migrate(database.pool);
    if (withQueue) await migrateQueue(database.pool);
    return applied.length === 0
      ? `PostgreSQL at ${host} is already up to date.`
      : `PostgreSQL at ${host} is now up to date. Applied migrations: ${applied.join(", ")}.`;
  } catch (error) {
    if (error instanceof Refusal) throw error;
    throw new Refusal(502, `PostgreSQL at ${host} cannot be migrated (${reasonOf(error)}). Check DATABASE_URL.`);
  } finally {
    await database.close();
  }
}
