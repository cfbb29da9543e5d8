import type { Clock } from "../base/clock.ts";
import type { Log } from "../base/log.ts";
import type { Db } from "../db/schema.ts";
import { balance } from "../ledger/balance.ts";
import { countStates } from "../deliveries/store.ts";
import { reasonColumns } from "../db/edition-reason.ts";
import { moveEdition } from "./state.ts";
import { lockEdition } from "./store.ts";
import { editionName } from "../base/edition-name.ts";

/**
 * Finishes an edition that is being sent once nothing of it is open and its sum is right, counted from the rows.
 * @returns whether it is finished now
 */
export async function closeEdition(deps: { db: Db; clock: Clock; log: Log }, editionId: number): Promise<boolean> {
  return deps.db.transaction().execute(async (tx) => {
    const edition = await lockEdition(tx, editionId);
    if (edition.state !== "sending") return false;
    const counts = await countStates(tx, edition);
    const { settled, balanced, difference } = balance(counts);
    if (!settled) return false;
    const date = editionName(edition);
    if (!balanced) {
      deps.log.error({ edition: editionId, date, ...counts, difference }, "edition does not balance and stays open");
      const reason = reasonColumns({ code: "not_balanced", data: counts });
      await tx.updateTable("editions").set(reason).where("id", "=", editionId).execute();
      return false;
    }
    await moveEdition(tx, { id: editionId, from: "sending", event: "finish" }, { now: deps.clock.now() });
    deps.log.info({ edition: editionId, date, ...counts }, "edition finished");
    return true;
  });
}
