import { Refusal } from "../base/errors.ts";
import type { Log } from "../base/log.ts";
import { actOnEdition, type ActDeps } from "./act.ts";
import { editionsInState, type Edition } from "./store.ts";
import { editionName } from "../base/edition-name.ts";
import type { Wake } from "../queue/contract.ts";
import { clockTime, type HoldOptions } from "./hold.ts";

export interface DeadlineDeps extends ActDeps {
  log: Log;
  wake: Wake;
  options: ActDeps["options"] & Pick<HoldOptions, "approval">;
}

/** Held editions whose deadline has passed go out, or stay held and say so, as APPROVAL says by then. */
export async function passDeadlines(deps: DeadlineDeps): Promise<void> {
  const now = deps.clock.now();
  for (const edition of await editionsInState(deps.db, ["held"])) {
    if (edition.approve_by === null || edition.approve_by > now) continue;
    await (deps.options.approval === "send" ? send(deps, edition) : keep(deps, edition));
  }
}

async function send(deps: DeadlineDeps, edition: Edition): Promise<void> {
  const { id, date, number } = edition;
  const reason = `Sent without approval, which nobody had given by ${deadline(edition)}.`;
  try {
    const acted = await actOnEdition(deps, { date, number, action: "approve", actor: "dayletter", reason });
    if (!acted.changed) return;
    deps.log.warn({ edition: id, date: editionName(edition) }, "edition sent at its deadline without approval");
    await deps.wake("fan-out", { editionId: id });
  } catch (error) {
    // An operator decided at this very moment.
    if (!(error instanceof Refusal)) throw error;
  }
}

async function keep({ db, log }: DeadlineDeps, edition: Edition): Promise<void> {
  const reason = `Nobody had approved it by ${deadline(edition)}: it stays held until somebody does.`;
  await db
    .updateTable("editions")
    .set({ reason, approve_by: null })
    .where("id", "=", edition.id)
    .where("state", "=", "held")
    .execute();
  log.warn({ edition: edition.id, date: editionName(edition) }, "edition not approved in time, it stays held");
}

function deadline({ approve_by, timezone }: Edition): string {
  return approve_by === null ? "its deadline" : clockTime(approve_by, timezone);
}
