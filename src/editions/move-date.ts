import { Refusal } from "../base/errors.ts";
import { dueAt, isSendDay, localDate, timeOf, type Schedule } from "../schedule/calendar.ts";
import { openDue, type DueDeps } from "./due.ts";
import { writeAudit } from "../audit/audit.ts";
import { revisionOf } from "../schedule/revision.ts";
import { loadSchedule, moveDate, type EffectiveSchedule } from "../schedule/store.ts";
import { inTurn, refuseOutdated, type TurnDeps } from "./schedule-turn.ts";

/**
 * Sends the edition of one date at another time of that date; the schedule stays as it is. What is due by the present
 * time is sent first, and a time that has passed is refused, so that a move never sends by surprise.
 * @param request.sendAt local "HH:MM"; null for the schedule's own time again
 * @param request.revision of the schedule that the move was made from; without it, that of now
 * @throws Refusal 409 when the date has its edition, or somebody has changed the schedule meanwhile; 422 for a date
 * without one or a time that has passed
 */
export async function changeMove(
  deps: DueDeps & TurnDeps,
  request: { date: string; sendAt: string | null; actor: string; revision?: string | undefined },
): Promise<EffectiveSchedule> {
  const { date, sendAt, actor } = request;
  const before = await loadSchedule(deps.db);
  const opened = await openDue(deps, before);
  if (opened) await deps.wake("render-edition", { editionId: opened.edition.id });
  return inTurn(deps, async (turn) => {
    const { tx, now, schedule, recorded } = turn;
    await refuseOutdated(turn, request.revision ?? revisionOf(before));
    checkMove({ date, sendAt, now, schedule, recorded });
    await moveDate(tx, date, sendAt, now);
    await writeAudit(tx, { at: now, actor, action: "schedule move", subject: date, detail: { sendAt } });
  });
}

export function checkMove(move: {
  date: string;
  sendAt: string | null;
  now: Date;
  schedule: Schedule;
  recorded: ReadonlySet<string>;
}): void {
  const { date, now, schedule, recorded } = move;
  if (recorded.has(date)) throw new Refusal(409, "date_has_edition", { date });
  if (date < localDate(now, schedule.timezone)) throw new Refusal(422, "date_passed", { date });
  if (!isSendDay(date, schedule)) throw new Refusal(422, "date_not_scheduled", { date });
  const moved = new Map(schedule.moved);
  if (move.sendAt === null) moved.delete(date);
  else moved.set(date, move.sendAt);
  const after = { ...schedule, moved };
  if (dueAt(date, after) > now) return;
  const time = `${timeOf(date, after)} (${schedule.timezone})`;
  throw new Refusal(422, "delivery_time_passed", { date, time });
}
