import { Refusal } from "../base/errors.ts";
import { dueAt, isSendDay, localDate, timeOf, type Schedule } from "../editions/calendar.ts";
import { openDue, recordedLately } from "../editions/due.ts";
import { writeAudit } from "../ops/audit.ts";
import type { ScheduleDeps } from "./change.ts";
import { loadSchedule, moveDate, type EffectiveSchedule } from "./store.ts";

/**
 * Sends the edition of one date at another time of that date; the schedule stays as it is. What is due by the present
 * time goes out first, and a time that has passed is refused, so that a move never sends by surprise.
 * @param request.sendAt local "HH:MM"; null for the schedule's own time again
 * @throws Refusal 409 when the date has its edition, 422 for a date without one or a time that has passed
 */
export async function changeMove(
  deps: ScheduleDeps,
  request: { date: string; sendAt: string | null; actor: string },
): Promise<EffectiveSchedule> {
  const { db, clock, options } = deps;
  const { date, sendAt, actor } = request;
  const before = await loadSchedule(db, options);
  const opened = await openDue(deps, before);
  if (opened) await deps.wake("render-edition", { editionId: opened.edition.id });
  const now = clock.now();
  checkMove({ date, sendAt, now, schedule: before, recorded: await recordedLately(db, now) });
  await db.transaction().execute(async (tx) => {
    await moveDate(tx, date, sendAt, now);
    await writeAudit(tx, { at: now, actor, action: "schedule move", subject: date, detail: { sendAt } });
  });
  return loadSchedule(db, options);
}

export function checkMove(move: {
  date: string;
  sendAt: string | null;
  now: Date;
  schedule: Schedule;
  recorded: ReadonlySet<string>;
}): void {
  const { date, now, schedule, recorded } = move;
  if (recorded.has(date)) throw new Refusal(409, `${date} has its edition already: it cannot be moved any more.`);
  if (date < localDate(now, schedule.timezone))
    throw new Refusal(422, `${date} has passed: name today or a later date.`);
  if (!isSendDay(date, schedule)) {
    throw new Refusal(422, `No edition is sent on ${date}: it is skipped, or not one of the schedule's days.`);
  }
  const moved = new Map(schedule.moved);
  if (move.sendAt === null) moved.delete(date);
  else moved.set(date, move.sendAt);
  const after = { ...schedule, moved };
  if (dueAt(date, after) > now) return;
  throw new Refusal(
    422,
    `${timeOf(date, after)} (${schedule.timezone}) of ${date} has passed: choose a later time, or send the edition now.`,
  );
}
