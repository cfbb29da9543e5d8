import { readFileSync } from "node:fs";
import { readDkimKey, type DkimKey } from "./mail/dkim.ts";
import { signing } from "./mail/signing.ts";
import { join } from "node:path";
import type { Clock } from "./base/clock.ts";
import { Refusal, reasonOf } from "./base/errors.ts";
import type { Log } from "./base/log.ts";
import type { Config } from "./config/load.ts";
import { migrate, migrateQueue } from "./db/migrate.ts";
import { openEmbedded, openPostgres, type Database } from "./db/open.ts";
import { outboxFolder } from "./mail/outbox-folder.ts";
import { createOutboxTransport } from "./mail/outbox.ts";
import type { LimitStore } from "./mail/fleet.ts";
import { openModuleCarrier } from "./mail/module-carrier.ts";
import { createSmtpCarrier } from "./mail/smtp-carrier.ts";
import { limited } from "./mail/smtp.ts";
import type { Carrier, Transport } from "./mail/transport.ts";
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

/**
 * The relay, the transport of a module, or the outbox if neither is set. All sign with the DKIM keys of the settings.
 * @throws Refusal 422 when a key or the module cannot be used
 */
export async function openTransport(
  config: Config,
  deps: { clock: Clock; log: Log; returned: () => void; limits: LimitStore },
): Promise<Transport> {
  const keys = openDkimKeys(config);
  const connections = config.smtpConnections;
  const carrier = await openCarrier(config);
  const transport =
    carrier === null
      ? createOutboxTransport({ dir: outboxFolder(config.dataDir), connections })
      : limited(deps, carrier, { connections, rate: config.smtpRate });
  return signing(transport, keys, deps);
}

/**
 * The way to the relay or to the module's transport; null if emails go to the outbox.
 * @throws Refusal 422 when the module cannot be used
 */
export async function openCarrier({ mailTransport, smtp }: Config): Promise<Carrier | null> {
  if (mailTransport !== null) return openModuleCarrier(mailTransport, process.cwd());
  return smtp && createSmtpCarrier(smtp);
}

/** The keys of the settings. @throws Refusal 422 when one cannot be read or used */
export function openDkimKeys({ dkim }: Pick<Config, "dkim">): DkimKey[] {
  return dkim.map(({ file, ...entry }) => readDkimKey({ ...entry, file, pem: readKeyFile(file) }));
}

function readKeyFile(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    const { code: reason = "unknown" } = error as NodeJS.ErrnoException;
    throw new Refusal(422, "dkim_file_unreadable", { file, reason });
  }
}
