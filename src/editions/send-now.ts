import { Refusal } from "../base/errors.ts";
import { writeAudit } from "../audit/audit.ts";
import type { Wake } from "../queue/contract.ts";
import { loadSchedule } from "../schedule/store.ts";
import { localDate } from "../schedule/calendar.ts";
import { countAudience } from "../deliveries/audience.ts";
import { recipientsOf, type EditionWarmUp, type WarmUpPlan } from "../deliveries/warm-up.ts";
import { openEdition, type OpenDeps } from "./open.ts";
import { comingFindings, type FindingsDeps } from "./pre-send-facts.ts";
import type { Finding } from "../db/edition-reason.ts";
import { wakeAfter } from "./state.ts";
import { findEdition, type Edition } from "./store.ts";
import { comingEdition, comingWarmUp } from "./upcoming.ts";
import { editionName } from "../base/edition-name.ts";

export interface SendNowDeps extends OpenDeps {
  wake: Wake;
}

interface SendNowRequest {
  date?: string;
  extra: boolean;
  actor: string;
  after?: number;
}

/** What would be sent now, before the sources are read once more. */
export interface SendNowPlan {
  /** Today's date. */
  date: string;
  articles: number;
  /** Articles that an editor left out. */
  leftOut: number;
  /** Readers who get at least one of the articles, without those that the warm-up leaves out. */
  readers: number;
  /** Why nobody would get it; null with at least one reader. */
  nobody: "no_readers" | "no_articles" | "all_left_out" | "no_followers" | "warm_up" | null;
  warmUp: EditionWarmUp | null;
  findings: Finding[];
}

/** What `sendNow` would send, and what the pre-send checks say of it. Nothing is claimed. */
export async function planSendNow(deps: FindingsDeps & { options: WarmUpPlan }): Promise<SendNowPlan> {
  const coming = await comingEdition(deps, "today");
  const sent = coming.articles.filter(({ leftOut }) => !leftOut).map(({ id }) => id);
  const [audience, warmUp, findings] = await Promise.all([
    countAudience(deps.db, sent, deps.clock.now()),
    comingWarmUp(deps, coming),
    comingFindings(deps, coming),
  ]);
  const counts = {
    articles: sent.length,
    leftOut: coming.articles.length - sent.length,
    readers: sent.length === 0 ? 0 : recipientsOf(audience.selected, warmUp),
  };
  return { date: coming.date, ...counts, nobody: whyNobody(counts, audience), warmUp, findings };
}

function whyNobody(
  { articles, leftOut, readers }: Pick<SendNowPlan, "articles" | "leftOut" | "readers">,
  audience: { readers: number; selected: number },
): SendNowPlan["nobody"] {
  if (readers > 0) return null;
  if (audience.readers === 0) return "no_readers";
  if (articles === 0) return leftOut > 0 ? "all_left_out" : "no_articles";
  return audience.selected === 0 ? "no_followers" : "warm_up";
}

/**
 * An operator's "send now": gathers, freezes and starts today's edition without waiting for its hour.
 * @param request.date only today's date is possible; given, it guards against a click that came after midnight
 * @param request.extra makes one more edition of a date that has one
 * @param request.after for an extra one: the date's last edition as the operator saw it; without it, the last one now.
 * So a double click makes one
 * @throws Refusal 409 when the date has its edition already, or got an extra one meanwhile; 422 when it is not today
 */
export async function sendNow(deps: SendNowDeps, request: SendNowRequest): Promise<Edition> {
  return deps.trace("send now", { extra: request.extra }, () => send(deps, request));
}

async function send(deps: SendNowDeps, request: SendNowRequest): Promise<Edition> {
  const { timezone } = await loadSchedule(deps.db);
  const now = deps.clock.now();
  const today = localDate(now, timezone);
  const date = request.date ?? today;
  if (date !== today) throw new Refusal(422, "date_not_today", { date, today, timezone });
  if (!request.extra) refuseSecond(await findEdition(deps.db, date));
  const { edition, created } = await openEdition(deps, {
    date,
    dueAt: now,
    timezone,
    extra: request.extra,
    approvedBy: request.actor,
    ...(request.after === undefined ? {} : { after: request.after }),
  });
  if (!created && request.extra) throw madeMeanwhile(edition);
  if (!created) refuseSecond(edition);
  await writeAudit(deps.db, {
    at: now,
    actor: request.actor,
    action: "edition send",
    subject: editionName(edition),
    detail: { articles: edition.articles, selected: edition.selected },
  });
  if (edition.state === "opening") await wakeAfter(deps.wake, "open", { id: edition.id, from: null });
  return edition;
}

function madeMeanwhile({ date, number, state }: Edition): Refusal {
  const edition = editionName({ date, number });
  return new Refusal(409, "extra_edition_just_created", { edition, date, number, state });
}

function refuseSecond(present: Edition | undefined): void {
  if (!present) return;
  const { date, number, state } = present;
  throw new Refusal(409, "edition_exists", { edition: editionName(present), date, number, state });
}
