import type { Clock } from "../base/clock.ts";
import type { Db } from "../db/schema.ts";
import { sendAgain, skipOpen } from "../deliveries/store.ts";
import { writeAudit } from "../audit/audit.ts";
import { takeBackSuppressions } from "../subscribers/edition-suppressions.ts";
import { reasonColumns, reasonOfEdition, type Reason } from "./reason.ts";
import { transition, type EditionAction } from "./state.ts";
import { getEdition, lockEdition, type Edition } from "./store.ts";
import { editionName } from "../base/edition-name.ts";

export interface ActDeps {
  db: Db;
  clock: Clock;
  options: { expireHours: number; secret: string };
}

export interface Acted {
  edition: Edition;
  /** Deliveries that the action put back or ended, or suppressions that it took back. */
  affected: number;
  /** False when the action had been done already. */
  changed: boolean;
}

/**
 * An operator's action on an edition, once however often it is asked for, and written into the audit log.
 * @param reason shown with the edition, as why it was paused
 * @throws Refusal 404 for an unknown edition, 409 naming the state and what it allows
 */
export async function actOnEdition(
  deps: ActDeps,
  request: { date: string; number: number; action: EditionAction; actor: string; reason?: Reason },
): Promise<Acted> {
  const { action, actor } = request;
  const { id } = await getEdition(deps.db, request.date, request.number);
  return deps.db.transaction().execute(async (tx) => {
    const before = await lockEdition(tx, id);
    const name = editionName(before);
    const state = transition(before.state, action, name);
    const now = deps.clock.now();
    let affected = 0;
    if (action === "retry") affected = await sendAgain(tx, id, ["rejected", "expired"]);
    if (action === "resend-unknown") affected = await sendAgain(tx, id, ["unknown"]);
    if (action === "cancel") affected = await skipOpen(tx, id, "the edition was cancelled", now);
    if (action === "unsuppress") affected = await takeBackSuppressions(tx, deps.options.secret, id);
    const again = action === "retry" || action === "resend-unknown";
    // Done already, or nothing there to put back: a finished edition then stays finished.
    if (affected === 0 && (again || before.state === state)) return { edition: before, affected, changed: false };
    await tx
      .updateTable("editions")
      .set({
        state,
        ...reasonColumns(request.reason ?? reasonAfter(action, { actor, affected }, before)),
        ...(action === "approve" ? { approved_by: actor, sending_at: now } : {}),
        ...(action === "cancel" ? { closed_at: now } : {}),
        // It would stop again at the next address otherwise.
        ...(action === "resume" && before.reason_code === "many_addresses_gone" ? { gone_accepted: true } : {}),
        ...(action === "unsuppress" ? { gone_accepted: false } : {}),
        // What goes on after a pause, or again, has its whole time to be delivered.
        ...(again || action === "resume" || action === "approve"
          ? { closed_at: null, expires_at: new Date(now.getTime() + deps.options.expireHours * 3_600_000) }
          : {}),
      })
      .where("id", "=", id)
      .execute();
    await writeAudit(tx, { at: now, actor, action: `edition ${action}`, subject: name, detail: { affected } });
    return { edition: await lockEdition(tx, id), affected, changed: true };
  });
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
