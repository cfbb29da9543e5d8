import { Refusal } from "../base/errors.ts";
import type { Log } from "../base/log.ts";
import { actOnEdition, type ActDeps } from "./act.ts";
import { moveEdition } from "./state.ts";
import { editionsInState, type Edition } from "./store.ts";
import { editionName } from "../base/edition-name.ts";
import type { HoldOptions } from "./hold.ts";
import { reasonColumns, type Reason } from "./reason.ts";

export interface DeadlineDeps extends ActDeps {
  log: Log;
  options: ActDeps["options"] & Pick<HoldOptions, "approval">;
}

/** Sends held editions whose deadline has passed, or keeps them held, as APPROVAL says at that time. */
export async function passDeadlines(deps: DeadlineDeps): Promise<void> {
  const now = deps.clock.now();
  for (const edition of await editionsInState(deps.db, ["held"])) {
    if (edition.approve_by === null || edition.approve_by > now) continue;
    const decide = deps.options.approval === "send" ? send : keep;
    await decide(deps, edition, edition.approve_by);
  }
}

async function send(deps: DeadlineDeps, edition: Edition, deadline: Date): Promise<void> {
  const { id, date, number, timezone } = edition;
  const reason: Reason = { code: "sent_without_approval", data: { deadline: deadline.toISOString(), timezone } };
  try {
    const acted = await actOnEdition(deps, { date, number, action: "approve", actor: "dayletter", reason });
    if (!acted.changed) return;
    deps.log.warn({ edition: id, date: editionName(edition) }, "edition sent at its deadline without approval");
  } catch (error) {
    // An operator decided at the same moment.
    if (!(error instanceof Refusal)) throw error;
  }
}

async function keep({ db, clock, log }: DeadlineDeps, edition: Edition, deadline: Date): Promise<void> {
  const data = { deadline: deadline.toISOString(), timezone: edition.timezone };
  const also = reasonColumns({ code: "not_approved_in_time", data });
  const now = clock.now();
  if (!(await moveEdition(db, { id: edition.id, from: "held", event: "expire-approval", also }, { now }))) return;
  log.warn({ edition: edition.id, date: editionName(edition) }, "edition not approved in time, it stays held");
}
