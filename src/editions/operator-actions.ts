import type { Clock } from "../base/clock.ts";
import { Refusal } from "../base/errors.ts";
import type { Db } from "../db/schema.ts";
import { sendAgain, skipOpen } from "../deliveries/store.ts";
import { writeAudit } from "../audit/audit.ts";
import { lockBulkChanges } from "../subscribers/lock.ts";
import { takeBackSuppressions } from "../subscribers/suppressed-readers.ts";
import { reasonColumns, reasonOfEdition, type Reason } from "../db/edition-reason.ts";
import { moveEdition, sendsAgain, transition, wakeAfter, type EditionAction, type EditionState } from "./state.ts";
import { getEdition, lockEdition, type Edition } from "./store.ts";
import type { Wake } from "../queue/contract.ts";
import { editionName } from "../base/edition-name.ts";

export interface ActDeps {
  db: Db;
  clock: Clock;
  wake: Wake;
  options: { expireHours: number; secret: string };
}

export interface Acted {
  edition: Edition;
  /** Deliveries that the action queued again or ended, or suppressions that it removed. */
  affected: number;
  /** False when the action had been done already. */
  changed: boolean;
}

/**
 * Does an operator's action on an edition: the change, the audit entry and the wake-up. Repeating it changes nothing.
 * @param reason shown with the edition, as why it was paused
 * @throws Refusal 404 for an unknown edition, 409 naming the state and what it allows
 */
export async function actOnEdition(
  deps: ActDeps,
  request: { date: string; number: number; action: EditionAction; actor: string; reason?: Reason },
): Promise<Acted> {
  const { action, actor } = request;
  const { id } = await getEdition(deps.db, request.date, request.number);
  let from: EditionState | null = null;
  const acted = await deps.db.transaction().execute(async (tx) => {
    // Before the edition, so that no other action waits for an import.
    if (action === "unsuppress") await lockBulkChanges(tx);
    const before = await lockEdition(tx, id);
    const name = editionName(before);
    const state = transition(before.state, action, name);
    const now = deps.clock.now();
    let affected = 0;
    const again = sendsAgain(action);
    if (again && before.final_counts !== null) throw new Refusal(409, "deliveries_removed", { edition: name });
    if (again) affected = await sendAgain(tx, id, action, now);
    if (action === "cancel") affected = await skipOpen(tx, id, now);
    if (action === "unsuppress") affected = await takeBackSuppressions(tx, deps.options.secret, id);
    // Already done, or nothing to queue again. A finished edition then stays finished.
    if (affected === 0 && (again || before.state === state)) return { edition: before, affected, changed: false };
    const reason = request.reason ?? reasonAfter(action, { actor, affected }, before);
    const also = {
      ...reasonColumns(reason),
      ...(action === "approve" ? { approved_by: actor } : {}),
      // It would pause again at the next address otherwise.
      ...(action === "resume" && before.reason_code === "many_addresses_gone" ? { gone_accepted: true } : {}),
      ...(action === "unsuppress" ? { gone_accepted: false } : {}),
    };
    const { expireHours } = deps.options;
    await moveEdition(tx, { id, from: before.state, event: action, also }, { now, expireHours });
    await writeAudit(tx, { at: now, actor, action: `edition ${action}`, subject: name, detail: { affected } });
    from = before.state;
    return { edition: await lockEdition(tx, id), affected, changed: true };
  });
  if (acted.changed) await wakeAfter(deps.wake, action, { id, from });
  return acted;
}

function reasonAfter(
  action: EditionAction,
  { actor, affected }: { actor: string; affected: number },
  before: Edition,
): Reason | null {
  if (action === "pause" || action === "cancel") return null;
  if (action === "approve") return { code: "approved_by", data: { actor } };
  if (action === "unsuppress" && before.reason_code === "many_addresses_gone") {
    return { code: "suppressions_removed", data: { actor, count: affected } };
  }
  return reasonOfEdition(before);
}
