import { alertInWords } from "../../texts/alerts.ts";
import type { OpenAlert } from "../../alerts/conditions.ts";
import { localDate, timeOf } from "../../schedule/calendar.ts";
import { notesInWords, editionReason } from "../../texts/editions.ts";
import { editionWarmUpInWords } from "../../texts/warm-up.ts";
import { nextEdition } from "../../schedule/next-edition.ts";
import { decisions, comingDay, editionsOfDay } from "../../alerts/today.ts";
import { countOwnHour } from "../../deliveries/store.ts";
import { growth } from "../../alerts/numbers.ts";
import { comingText, progressText, showDecision } from "./day-text.ts";
import type { FastifyInstance } from "fastify";
import { openAlerts } from "../../alerts/store.ts";
import type { App } from "../../app.ts";
import { shared } from "../../base/async.ts";
import { isActive } from "../../editions/state.ts";
import { listCurrent } from "../../editions/store.ts";
import { operatorPathOf, editionName } from "../../base/edition-name.ts";
import { editionStatus, status, type EditionStatus, type Status } from "../../alerts/status.ts";
import { listSources } from "../../sources/store.ts";
import { englishOf, englishWording } from "../../texts/catalogue.ts";
import {
  barOf,
  domainRows,
  lookedAt,
  type Trouble,
  noTrouble,
  notesRelay,
  providerRows,
  relayInWords,
  sendingNotes,
  shownDomains,
  troubleNow,
} from "./progress.ts";
import { type Tally, tallyEditions } from "../../deliveries/search.ts";
import { showsOutbox } from "../this-machine.ts";
import { needs, type Show } from "./dashboard.ts";
import { offeredActs } from "./edition-acts.ts";
import { streamOf } from "./live.ts";
import { showSourceRow } from "./sources.ts";
import { dayOf, moment, number, span } from "./format.ts";

const { say } = englishWording();

type AppDeps = Pick<App, "config" | "options" | "clock" | "db" | "transport">;

const pressing = new Set(["pause", "resume", "approve"]);

/** `/operator`: today's edition, decisions to make, and the next send. */
export function addTodayPage(web: FastifyInstance, app: AppDeps, show: Show): void {
  const facts = shared(() => load(app));
  web.get("/operator", needs.viewer, async (request, reply) => {
    const known = await facts();
    const now = app.clock.now();
    const language = englishOf(app.config.language);
    const { schedule } = known.status;
    const { timezone } = schedule;
    const [next] = known.status.next;
    const { lead, others } = editionsOfDay(known.editions, known.today);
    return show(
      request,
      reply,
      { name: "today", title: say("title.today"), place: "today" },
      {
        stream: streamOf(known.editions),
        sentence: lead
          ? progressText(lead, known.today)
          : comingText(
              comingDay({
                today: known.today,
                next: next ?? null,
                due: known.due,
                skipped: schedule.skipped.has(known.today),
              }),
              { now, sendAt: timeOf(known.today, schedule), dayOf: (at) => dayOf(at, timezone, language) },
            ),
        announced: [...(lead ? [lead] : []), ...others].map((one) => `${editionName(one)}: ${one.state}.`).join(" "),
        decisions: decisions({
          editions: known.editions,
          empty: known.alerts.filter(({ kind }) => kind === "edition-empty").map((alert) => alertInWords(alert)),
          unhealthy: known.status.sources.unhealthy,
          sources: known.status.sources.total,
          readers: known.status.subscribers.active,
          relay: known.status.transport.reason && englishWording().text(known.status.transport.reason),
          planned: next !== undefined,
        }).map(showDecision),
        alerts: { active: activeAlerts(known.alerts) },
        lead: lead && showEdition(lead, known),
        others: others.map((one) => showEdition(one, known)),
        next: next
          ? {
              ...moment(next.at, timezone, language),
              note: notesInWords(next),
              wait: span(next.at.getTime() - now.getTime()),
            }
          : null,
        timezone,
        waiting: say("edition.articles", { n: known.status.waiting }),
        sendable: lead === null,
        readers: {
          active: say("count.active_readers", { n: known.status.subscribers.active }),
          pending: known.status.subscribers.pending === 0 ? null : number(known.status.subscribers.pending),
          growth: known.growth.map((one) => ({
            span: one.days === 1 ? say("today.last_day") : say("today.last_days", { n: one.days }),
            gained: number(one.gained),
            left: number(one.left),
            suppressed: number(one.suppressed),
          })),
        },
        sources: known.sources.map((source) => showSourceRow(source, { now, timezone, language })),
        outbox: app.config.embedded.mail,
        outboxShown: showsOutbox(app.config),
      },
    );
  });
}

/** The label of a link to them; null without any. Alerts that nobody was notified of may pass by themselves. */
function activeAlerts(alerts: readonly OpenAlert[]): string | null {
  const n = alerts.filter(({ notifiedAt }) => notifiedAt !== null).length;
  return n === 0 ? null : say("today.alerts", { n });
}

function showEdition(
  edition: EditionStatus,
  { today, ownHour, tallies, trouble }: Pick<Known, "today" | "ownHour" | "tallies" | "trouble">,
) {
  const waiting = ownHour.get(edition.id) ?? 0;
  const tally = tallies.get(edition.id);
  return {
    id: edition.id,
    name: editionName(edition),
    sentence: progressText(edition, today),
    state: edition.state,
    active: isActive(edition.state),
    path: operatorPathOf(edition),
    ownHour:
      waiting === 0 ? null : say("today.own_hour", { n: waiting, warm_up: edition.warm_up === null ? "no" : "yes" }),
    reason: editionReason(edition),
    warmUp: editionWarmUpInWords(edition.warm_up),
    notes: tally ? sendingNotes(edition, tally, trouble) : [],
    relay: notesRelay(edition, trouble),
    domains: tally ? domainRows(tally.domains) : [],
    providers: providerRows(trouble),
    bar: edition.selected > 0 ? barOf(edition.balance) : null,
    // Only the urgent actions. The edition's page has all of them.
    acts: offeredActs(edition).filter(({ action }) => pressing.has(action)),
  };
}

interface Known {
  status: Status;
  today: string;
  /** Newest first. */
  editions: EditionStatus[];
  /** Of active editions. */
  tallies: Map<number, Tally>;
  trouble: Trouble;
  due: boolean;
  /** Readers who wait for their own hour, by the edition's id. */
  ownHour: ReadonlyMap<number, number>;
  growth: Awaited<ReturnType<typeof growth>>;
  sources: Awaited<ReturnType<typeof listSources>>;
  alerts: OpenAlert[];
}

async function load(app: AppDeps): Promise<Known> {
  const { db, clock } = app;
  const now = clock.now();
  const [known, newest, sources, alerts] = await Promise.all([
    status(app),
    listCurrent(db, lookedAt),
    listSources(db),
    openAlerts(db),
  ]);
  const active = newest.filter(({ state }) => isActive(state));
  const { timezone } = known.schedule;
  const [listed, tallies, change, trouble] = await Promise.all([
    Promise.all(newest.map((edition) => editionStatus(db, edition))),
    tallyEditions(db, active, shownDomains),
    growth(app, timezone),
    active.length > 0 ? troubleNow(app, timezone, relayInWords(known.transport, alerts, timezone)) : noTrouble(clock),
  ]);
  const editions = listed.map((one) => ({ ...one, balance: tallies.get(one.id)?.balance ?? one.balance }));
  const today = localDate(now, timezone);
  const recorded = new Set(editions.map(({ date }) => date));
  const due = nextEdition(now, known.schedule, recorded).open?.date === today;
  const ownHour = await countOwnHour(
    db,
    active.map(({ id }) => id),
    now,
  );
  return { status: known, today, editions, tallies, trouble, due, ownHour, growth: change, sources, alerts };
}
