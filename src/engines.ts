import { join } from "node:path";
import type { Clock } from "./base/clock.ts";
import { Refusal, reasonOf } from "./base/errors.ts";
import type { Log } from "./base/log.ts";
import type { Config } from "./config/load.ts";
import { migrate, migrateQueue } from "./db/migrate.ts";
import { openEmbedded, openPostgres, type Database } from "./db/open.ts";
import { outboxFolder } from "./mail/outbox-folder.ts";
import { createOutboxTransport } from "./mail/outbox.ts";
import { createSmtpTransport } from "./mail/smtp.ts";
import type { Transport } from "./mail/transport.ts";
import type { QueuePlace } from "./queue/connection.ts";

/**
 * Opens the database, PostgreSQL or embedded, and migrates it to this release.
 * @throws Refusal when PostgreSQL cannot be used, or a newer release has migrated the database
 */
export async function openDatabase(config: Config): Promise<Database> {
  if (config.databaseUrl === null) return openEmbedded(join(config.dataDir, "db"));
  const database = openPostgres(config.databaseUrl);
  try {
    await migrate(database.pool);
    if (config.embedded.queue === "postgres") await migrateQueue(database.pool);
    return database;
  } catch (error) {
    await database.close();
    if (error instanceof Refusal) throw error;
    throw new Refusal(502, "database_unusable", { reason: reasonOf(error).replace(/\.$/, "") });
  }
}

/** Where the queue is: in Redis if it is set, otherwise in the database. */
export function queuePlace(config: Config, database: Database): QueuePlace {
  if (config.redisUrl !== null) return { kind: "redis", url: config.redisUrl };
  if (config.databaseUrl !== null) return { kind: "postgres", url: config.databaseUrl };
  return { kind: "embedded", pool: database.pool };
}

/** The relay, or the outbox if no relay is set. */
export function openTransport(config: Config, deps: { clock: Clock; log: Log; returned: () => void }): Transport {
  const connections = config.smtpConnections;
  if (config.smtp === null) return createOutboxTransport({ dir: outboxFolder(config.dataDir), connections });
  return createSmtpTransport(deps, { ...config.smtp, connections, rate: config.smtpRate });
}
