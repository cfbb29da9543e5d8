import { reasonOf } from "../base/errors.ts";
import type { Log } from "../base/log.ts";
import { withoutAddress } from "../base/address.ts";
import type { Db } from "../db/schema.ts";
import { fewestGone, goneShare, tooManyGone, type Gone } from "../deliveries/watches.ts";
import { countAnswered } from "../deliveries/store.ts";
import { countSuppressed } from "../subscribers/suppressions.ts";
import { actOnEdition, type ActDeps } from "./operator-actions.ts";
import type { Reason } from "../db/edition-reason.ts";
import { getEditionById, type Edition } from "./store.ts";
import { editionName } from "../base/edition-name.ts";

interface Deps extends ActDeps {
  log: Log;
}

/**
 * Pauses an edition when the relay refuses every email because of its sender or content. Never throws.
 * @param reply the last refusal
 */
export async function pauseForPolicy(deps: Deps, editionId: number, reply: string): Promise<void> {
  await attempt(deps, editionId, async (edition) => {
    deps.log.error(about(edition), "edition paused, because the relay refuses every email");
    await pause(deps, edition, { code: "relay_refuses_all", data: { reply: withoutAddress(reply) } });
  });
}

/**
 * Pauses an edition when the relay reports far too many mailboxes as nonexistent. The relay may be wrong, and many readers
 * would be suppressed. An edition that an operator has resumed is not paused again. Never throws.
 */
export async function pauseForGone(deps: Deps, editionId: number): Promise<void> {
  await attempt(deps, editionId, async (edition) => {
    if (edition.gone_accepted) return;
    const found = await findGone(deps.db, edition);
    if (found === null) return;
    deps.log.error(
      { ...about(edition), ...found },
      "edition paused, because the relay reports that far too many addresses do not exist",
    );
    const { gone, answered } = found;
    await pause(deps, edition, { code: "many_addresses_gone", data: { gone, answered } });
  });
}

/** null while there are far fewer, which only an index is read for. */
async function findGone(db: Db, { id, selected: mails }: Edition): Promise<Gone | null> {
  const gone = await countSuppressed(db, id);
  if (gone < fewestGone(mails)) return null;
  const found = { gone, answered: await countAnswered(db, id, gone * goneShare), mails };
  return tooManyGone(found) ? found : null;
}

async function attempt({ db, log }: Deps, editionId: number, work: (edition: Edition) => Promise<void>): Promise<void> {
  try {
    const edition = await getEditionById(db, editionId);
    if (edition?.state === "sending") await work(edition);
  } catch (error) {
    log.error({ edition: editionId, reason: reasonOf(error) }, "edition could not be paused");
  }
}

async function pause(deps: Deps, { date, number }: Edition, reason: Reason): Promise<void> {
  await actOnEdition(deps, { date, number, action: "pause", actor: "dayletter", reason });
}

function about(edition: Edition): { edition: number; date: string } {
  return { edition: edition.id, date: editionName(edition) };
}
