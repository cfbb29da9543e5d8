import { writeAudit } from "../audit/audit.ts";
import type { Clock } from "../base/clock.ts";
import type { Log } from "../base/log.ts";
import { answerDays, type QuestionCause, type QuestionOutcome } from "../db/values.ts";
import type { Db } from "../db/schema.ts";
import { refusalKind } from "./bounce-kind.ts";
import { fewestSoft, softDays } from "./soft-row.ts";
import { fatesSince, readersWithFailures } from "./store.ts";
import type { Wake } from "../queue/contract.ts";
import { localDate, startOfDate } from "../schedule/calendar.ts";
import { loadSchedule } from "../schedule/store.ts";
import {
  addQuestions,
  countAsked,
  endQuestions,
  findSilent,
  loadAskable,
  lockOpenQuestions,
  lockQuestions,
  noteSent,
  refusedQuestions,
} from "../subscribers/questions.ts";
import { endOf, monthsBefore, mostPerDay, whyAsk } from "./question-rule.ts";

export interface AskAgainDeps {
  db: Db;
  clock: Clock;
  log: Log;
  wake: Wake;
  options: { askAgainMonths: number };
}

const dayMs = 24 * 3_600_000;
const atATime = 500;
/** Between two questions, so that other notices and the relay's limits have room. */
const apartMs = 1_000;

/**
 * Asks readers whether they still want the emails, and pauses those who were asked 30 days ago and have not answered
 * (`question-rule.ts` says who). Running it again on the same day asks nobody twice and no more than the day's bound.
 */
export async function askAgain(deps: AskAgainDeps): Promise<void> {
  const ended = await endOldQuestions(deps);
  const asked = await askReaders(deps);
  const { db, clock, log } = deps;
  const entry = { at: clock.now(), actor: "dayletter", subject: "subscribers" } as const;
  if (ended.paused > 0)
    await writeAudit(db, { ...entry, action: "subscribers pause", detail: { paused: ended.paused } });
  if (asked.bounces + asked.silence > 0) await writeAudit(db, { ...entry, action: "subscribers ask", detail: asked });
  log.info({ asked, ended }, "questions to readers finished");
}

async function endOldQuestions(deps: AskAgainDeps): Promise<Record<QuestionOutcome, number>> {
  const { db, clock, options } = deps;
  const now = clock.now();
  const policy = { months: options.askAgainMonths };
  const counts = { kept: 0, unsubscribed: 0, paused: 0, dropped: 0 };
  // A full mailbox takes the question as little as the editions, whether the relay says so at once or later.
  const refused = (await refusedQuestions(db)).filter(({ reply }) => refusalKind(reply) === "soft");
  await noteSent(
    db,
    refused.map(({ id }) => id),
  );
  const sentBefore = new Date(now.getTime() - answerDays * dayMs);
  const cause = policy.months === 0 ? "silence" : null;
  for (let after = 0; ;) {
    const page = await db.transaction().execute(async (tx) => {
      const open = await lockOpenQuestions(tx, { sentBefore, cause, after, limit: atATime });
      const fates = await fatesOf(
        tx,
        open.map(({ reader }) => reader),
        now,
      );
      const ended = open.flatMap((question) => {
        const outcome = endOf(question, fates.get(question.reader) ?? [], policy, now);
        return outcome === null ? [] : [{ ...question, outcome }];
      });
      for (const outcome of await endQuestions(tx, ended, now)) counts[outcome] += 1;
      return open;
    });
    if (page.length < atATime) return counts;
    after = page.at(-1)!.id;
  }
}

async function askReaders(deps: AskAgainDeps): Promise<Record<QuestionCause, number>> {
  const { db, clock, options, wake } = deps;
  const now = clock.now();
  const months = options.askAgainMonths;
  const counts = { bounces: 0, silence: 0 };
  const { timezone } = await loadSchedule(db);
  const today = startOfDate(localDate(now, timezone), timezone);
  const ask = async (ids: readonly number[]): Promise<boolean> => {
    const { asked, room } = await askSome(deps, ids, { now, today });
    for (const cause of asked) counts[cause] += 1;
    return room > 0;
  };
  const bouncing = await readersWithFailures(db, { since: daysAgo(now, softDays), least: fewestSoft });
  let more = true;
  for (let i = 0; more && i < bouncing.length; i += atATime) more = await ask(bouncing.slice(i, i + atATime));
  for (let after = 0; more && months > 0;) {
    const silent = await findSilent(db, { since: monthsBefore(now, months), after, limit: atATime });
    more = (await ask(silent)) && silent.length === atATime;
    after = silent.at(-1) ?? after;
  }
  if (counts.bounces + counts.silence > 0) await wake("send-notices", {});
  return counts;
}

/** Asks those of the readers who have to be asked, while the day has room. */
async function askSome(
  { db, options }: AskAgainDeps,
  ids: readonly number[],
  { now, today }: { now: Date; today: Date },
): Promise<{ asked: QuestionCause[]; room: number }> {
  return db.transaction().execute(async (tx) => {
    await lockQuestions(tx);
    const { asked: before, active } = await countAsked(tx, today);
    const room = Math.max(0, mostPerDay(active) - before);
    const fates = await fatesOf(tx, ids, now);
    const asked = (await loadAskable(tx, ids))
      .flatMap(({ id, address, ...reader }) => {
        const cause = whyAsk(reader, fates.get(id) ?? [], { months: options.askAgainMonths }, now);
        return cause === null ? [] : [{ id, address, cause }];
      })
      .slice(0, room)
      .map((reader, i) => ({ ...reader, dueAt: new Date(now.getTime() + (before + i) * apartMs) }));
    await addQuestions(tx, asked, now);
    return { asked: asked.map(({ cause }) => cause), room: room - asked.length };
  });
}

function fatesOf(db: Parameters<typeof fatesSince>[0], readers: readonly number[], now: Date) {
  return fatesSince(db, readers, daysAgo(now, softDays));
}

function daysAgo(now: Date, days: number): Date {
  return new Date(now.getTime() - days * dayMs);
}
