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
 * Copies the embedded records of a data folder, whose server is stopped, into the empty PostgreSQL of `DATABASE_URL`.
 * The folder keeps what it has. @returns what came over and what is still to do, a sentence each @throws Refusal
 */
export async function moveRecords(config: Config, dataDir: string): Promise<string[]> {
  if (config.databaseUrl === null) {
    throw new Refusal(400, "Nothing says where the records go: set DATABASE_URL to an empty PostgreSQL database.");
  }
  const folder = resolve(dataDir);
  if (!existsSync(join(folder, "db", "PG_VERSION"))) {
    throw new Refusal(404, `${folder} holds no embedded records: name the DATA_DIR of the server that keeps them.`);
  }
  // Links in mails and the hashes of suppressed addresses are made with it.
  const secret = readIfThere(join(folder, "secret"));
  if (secret !== null && secret !== config.secret) {
    throw new Refusal(
      409,
      `SECRET is not that of ${folder}, so every link in mails already sent would be dead: set SECRET to what stands in ${join(folder, "secret")}.`,
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
          `The database ${pathname.slice(1)} at ${host} holds records already, and nothing was copied: name an empty one in DATABASE_URL.`,
        );
      }
      return [inWords(copied, host), ...settingsLeft(folder)];
    } catch (error) {
      if (error instanceof Refusal) throw error;
      throw new Refusal(
        502,
        `The records could not be copied to PostgreSQL at ${host}, and nothing of them is there: ${reasonOf(error)}.`,
      );
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
    `PostgreSQL at ${host} has all ${rows.toLocaleString("en")} records now, among them readers: ${count("subscribers")}, ` +
    `editions: ${count("editions")}, deliveries: ${count("deliveries")}, articles: ${count("articles")}.`
  );
}

/** With `DATABASE_URL` the environment is all that counts. */
function settingsLeft(folder: string): string[] {
  const file = join(folder, "settings.env");
  return existsSync(file) ? [`Settings made on the set-up page stay in ${file}: put them into the environment.`] : [];
}
