import { sql } from "kysely";
import type { Clock } from "../base/clock.ts";
import type { Log } from "../base/log.ts";
import type { Db, Tx } from "../db/schema.ts";
import { withoutAddresses } from "../db/sql.ts";
import { writeAudit } from "../audit/audit.ts";
import { lockReaders } from "./lock.ts";
import { noSuchReader } from "./preferences.ts";
import { closeQuestion } from "./questions.ts";
import { findSubscriber, type Subscriber } from "./store.ts";
import { erased, suppress } from "./suppressions.ts";
import { reasonOf, Refusal } from "../base/errors.ts";
import { editionName } from "../base/edition-name.ts";
import { outboxFolder, removeMails } from "../mail/outbox-folder.ts";
import { editionMessageId, noticeMessageId } from "../mail/message-id.ts";

export interface EraseDeps {
  db: Db;
  clock: Clock;
  log: Log;
  options: { secret: string; dataDir: string };
}

/**
 * Erases a reader and all personal data, including emails in the outbox. Deliveries stay without domain and address, so that
 * the numbers of past editions stay right. A keyed hash of the address stays, so that an old list does not add it again
 * (ADR 14). A pending delivery will be skipped.
 * @param actor a token's name, or `reader`
 * @throws Refusal 404 when there is no such reader, 500 when an email cannot be removed; then nothing was erased
 */
export async function erase(deps: EraseDeps, id: number, actor = "reader"): Promise<void> {
  const now = deps.clock.now();
  await deps.db.transaction().execute(async (tx) => {
    const reader = await findSubscriber(tx, id);
    if (!reader) throw noSuchReader(id);
    await eraseMails(tx, deps.options, reader);
    await eraseIn(tx, reader, now, actor);
    const addressKey = reader.address.toLowerCase();
    await suppress(tx, deps.options.secret, { addressKey, reason: erased, detail: null, now });
  });
  deps.log.info({ subscriber: id }, "reader erased");
}

/** The same for the database only, without the hash, within the caller's transaction. */
export async function eraseIn(
  tx: Tx,
  reader: Pick<Subscriber, "id" | "address">,
  now: Date,
  actor = "dayletter",
): Promise<void> {
  await eraseTraces(tx, reader);
  await lockReaders(tx, sql<boolean>`s.id = ${reader.id}`, "key");
  const key = reader.address.toLowerCase();
  await tx
    .deleteFrom("notices")
    .where((eb) => eb(eb.fn("lower", ["address"]), "=", key))
    .execute();
  // Other readers' requests to move to this address.
  await tx.deleteFrom("address_changes").where("address_key", "=", key).execute();
  await closeQuestion(tx, reader.id, "unsubscribed", now);
  // Tags, consents, notices and address changes are deleted by cascade; deliveries and questions stay without a reader.
  await tx.deleteFrom("subscribers").where("id", "=", reader.id).execute();
  await writeAudit(tx, { at: now, actor, action: "subscriber erase", subject: `subscriber ${reader.id}` });
}

/** Erases what is locked before the reader (see `lockReaders`): the address in deliveries, and sign-ups. */
export async function eraseTraces(tx: Tx, { id, address }: Pick<Subscriber, "id" | "address">): Promise<void> {
  await sql`
    update delivery_outcomes o set text = null from deliveries d
    where d.subscriber_id = ${id} and o.edition_id = d.edition_id and o.delivery_id = d.id`.execute(tx);
  await sql`
    update deliveries set domain = '', reply = ${withoutAddresses(sql`reply`)} where subscriber_id = ${id}`.execute(tx);
  await tx.deleteFrom("signups").where("address_key", "=", address.toLowerCase()).execute();
}

/**
 * Removes a reader's emails from this machine's outbox. Emails to a former address are found by their Message-IDs, which are
 * computed from editions and notices, so this must run before those rows are deleted.
 * @throws Refusal 500 when a file cannot be read or removed
 */
async function eraseMails(
  tx: Tx,
  options: { secret: string; dataDir: string },
  reader: Pick<Subscriber, "id" | "address" | "key">,
): Promise<void> {
  const own = { address: reader.address.toLowerCase(), ids: await idsOf(tx, options.secret, reader) };
  try {
    await removeMails(outboxFolder(options.dataDir), own);
  } catch (error) {
    throw new Refusal(500, "outbox_not_writable", { reason: reasonOf(error) });
  }
}

async function idsOf(tx: Tx, secret: string, { id, key }: Pick<Subscriber, "id" | "key">): Promise<Set<string>> {
  // Retention may have removed the reader's deliveries.
  const editions = await tx
    .selectFrom("editions")
    .select(["date", "number"])
    .where("frozen_at", "is not", null)
    .execute();
  const notices = await tx
    .selectFrom("notices")
    .select(["id", "created_at as createdAt"])
    .where("subscriber_id", "=", id)
    .execute();
  const ids = [
    ...editions.map((edition) => editionMessageId(secret, editionName(edition), key, "")),
    ...notices.map((notice) => noticeMessageId(secret, notice, "")),
  ];
  return new Set(ids.map((one) => one.slice(1, one.indexOf("@"))));
}
