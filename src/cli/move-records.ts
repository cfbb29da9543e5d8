import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { readIfThere } from "../base/private-file.ts";
import { Refusal, reasonOf } from "../base/errors.ts";
import type { Config } from "../config/load.ts";
import { copyRecords } from "../db/copy-records.ts";
import { lockDataFolder } from "../db/lock.ts";
import { migrate } from "../db/migrate.ts";
import { openEmbedded, openPostgres } from "../db/open.ts";

/**
 * Copies the embedded database of a stopped server to the empty PostgreSQL database in `DATABASE_URL`. The data folder is not
 * changed. @returns sentences about what was copied and what is left to do @throws Refusal
 */
export async function moveRecords(config: Config, dataDir: string): Promise<string[]> {
  if (config.databaseUrl === null) {
    throw new Refusal(400, "DATABASE_URL is not set. Set it to the URL of an empty PostgreSQL database.");
  }
  const folder = resolve(dataDir);
  if (!existsSync(join(folder, "db", "PG_VERSION"))) {
    throw new Refusal(
      404,
      `${folder} contains no embedded database. Specify the DATA_DIR of the server that you want to move.`,
    );
  }
  // It signs the links in emails and the hashes of suppressed addresses.
  const secret = readIfThere(join(folder, "secret"));
  if (secret !== null && secret !== config.secret) {
    throw new Refusal(
      409,
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
        throw new Refusal(
          409,
          `The database ${pathname.slice(1)} at ${host} is not empty, so nothing was copied. Set DATABASE_URL to an empty database.`,
        );
      }
      return [inWords(copied, host), ...settingsLeft(folder)];
    } catch (error) {
      if (error instanceof Refusal) throw error;
      throw new Refusal(502, `Copying to PostgreSQL at ${host} failed, and nothing was copied (${reasonOf(error)}).`);
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

/** With `DATABASE_URL`, all settings come from the environment. */
function settingsLeft(folder: string): string[] {
  const file = join(folder, "settings.env");
  return existsSync(file) ? [`The settings from the set-up page are in ${file}. Add them to the environment.`] : [];
}
