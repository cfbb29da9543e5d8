import { join, resolve } from "node:path";
import { existsSync } from "node:fs";
import { Refusal, reasonOf } from "../base/errors.ts";
import type { Config } from "../config/load.ts";
import { lockDataFolder } from "../db/lock.ts";
import { migrate, migrateQueue } from "../db/migrate.ts";
import { openEmbedded, openPostgres } from "../db/open.ts";
import { CommandError } from "./failure.ts";
import { readIfThere } from "../base/private-file.ts";
import { copyRecords } from "../db/copy-records.ts";
import type { Db } from "../db/schema.ts";
import { readLogo } from "../config/logo.ts";
import { readSaved } from "../config/saved-settings.ts";
import { takeOverSettings } from "../db/stored-settings.ts";

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
    throw new CommandError(`PostgreSQL at ${host} cannot be migrated (${reasonOf(error)}). Check DATABASE_URL.`);
  } finally {
    await database.close();
  }
}

/**
 * Copies the embedded database of a stopped server to the empty PostgreSQL database in `DATABASE_URL`. The data folder is not
 * changed. @returns sentences about what was copied and what is left to do @throws Refusal
 */
export async function moveRecords(config: Config, dataDir: string): Promise<string[]> {
  if (config.databaseUrl === null) {
    throw new CommandError("DATABASE_URL is not set. Set it to the URL of an empty PostgreSQL database.");
  }
  const folder = resolve(dataDir);
  if (!existsSync(join(folder, "db", "PG_VERSION"))) {
    throw new CommandError(
      `${folder} contains no embedded database. Specify the DATA_DIR of the server that you want to move.`,
    );
  }
  // It signs the links in emails and the hashes of suppressed addresses.
  const secret = readIfThere(join(folder, "secret"));
  if (secret !== null && secret !== config.secret) {
    throw new CommandError(
      `SECRET is not the same as in ${folder}, so all links in past emails would stop working. Set SECRET to the content of ${join(folder, "secret")}.`,
    );
  }
  const { host, pathname } = new URL(config.databaseUrl);
  const unlock = await lockDataFolder(folder, "migrate");
  try {
    const from = await openEmbedded(join(folder, "db"));
    const to = openPostgres(config.databaseUrl, { max: 2 });
    try {
      await migrate(to.pool);
      const copied = await copyRecords(from.pool, to.pool);
      if (copied === null) {
        throw new CommandError(
          `The database ${pathname.slice(1)} at ${host} is not empty, so nothing was copied. Set DATABASE_URL to an empty database.`,
        );
      }
      return [inWords(copied, host), ...(await moveSettings(to.db, folder))];
    } catch (error) {
      if (error instanceof Refusal || error instanceof CommandError) throw error;
      throw new CommandError(`Copying to PostgreSQL at ${host} failed, and nothing was copied (${reasonOf(error)}).`);
    } finally {
      await to.close();
      await from.close();
    }
  } finally {
    unlock();
  }
}

function inWords(copied: Readonly<Record<string, number>>, host: string): string {
  const count = (table: string): string => (copied[table] ?? 0).toLocaleString("en");
  const rows = Object.values(copied).reduce((sum, n) => sum + n, 0);
  return (
    `Copied ${rows.toLocaleString("en")} rows to PostgreSQL at ${host}. Readers: ${count("subscribers")}, ` +
    `editions: ${count("editions")}, deliveries: ${count("deliveries")}, articles: ${count("articles")}.`
  );
}

/** Saves the settings of the operators' pages in the new database. Those of the infrastructure belong in the environment. */
async function moveSettings(db: Db, folder: string): Promise<string[]> {
  const { values } = readSaved(folder);
  if (Object.keys(values).length === 0) return [];
  const left = await takeOverSettings(db, values, savedLogo(folder, values["PUBLICATION_LOGO"]));
  const file = join(folder, "settings.env");
  if (left.length === 0) return ["The settings from the Setup and Settings pages were copied too."];
  return [
    `The settings from the Setup and Settings pages were copied too, except for ${left.join(", ")}. Add these from ${file} to the environment.`,
  ];
}

function savedLogo(folder: string, path: string | undefined): Buffer | null {
  try {
    return path === undefined ? null : readLogo(folder, path).content;
  } catch (error) {
    if (error instanceof Refusal) return null;
    throw error;
  }
}
