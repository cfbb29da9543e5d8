import { Refusal, reasonOf } from "../base/errors.ts";
import type { Tx } from "../db/schema.ts";
import { editionName } from "../base/edition-name.ts";
import { outboxFolder, removeMails } from "../mail/outbox-folder.ts";
import type { Subscriber } from "./store.ts";
import { messageId, noticeMessageId } from "./tokens.ts";

/**
 * Removes a reader's emails from this machine's outbox. Emails to a former address are found by their Message-IDs, which are
 * computed from deliveries and notices, so this must run before those rows are deleted.
 * @throws Refusal 500 when a file cannot be read or removed
 */
export async function eraseMails(
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
  const editions = await tx
    .selectFrom("deliveries")
    .innerJoin("editions", "editions.id", "deliveries.edition_id")
    .select(["date", "number"])
    .where("subscriber_id", "=", id)
    .execute();
  const notices = await tx
    .selectFrom("notices")
    .select(["id", "created_at as createdAt"])
    .where("subscriber_id", "=", id)
    .execute();
  const ids = [
    ...editions.map((edition) => messageId(secret, editionName(edition), key, "")),
    ...notices.map((notice) => noticeMessageId(secret, notice, "")),
  ];
  return new Set(ids.map((one) => one.slice(1, one.indexOf("@"))));
}
