import { Refusal } from "../base/errors.ts";
import type { Clock } from "../base/clock.ts";
import type { Db } from "../db/schema.ts";
import { writeAudit } from "../audit/audit.ts";
import { shownUrl } from "./address.ts";
import { deleteSource, type Source } from "./store.ts";

/**
 * Removes a feed and keeps its articles.
 * @throws Refusal 409 for the API, which is not a feed, 404 when it has already been removed
 */
export async function removeSource(
  { db, clock }: { db: Db; clock: Clock },
  source: Source,
  actor: string,
): Promise<void> {
  const { id, url } = source;
  if (url === null) throw new Refusal(409, "source_not_removable");
  await db.transaction().execute(async (tx) => {
    await deleteSource(tx, id);
    await writeAudit(tx, { at: clock.now(), actor, action: "source remove", subject: shownUrl(url) });
  });
}
