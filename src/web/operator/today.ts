import type { FastifyInstance } from "fastify";
import type { OpenAlert } from "../../operations/alerts/compare.ts";
import { openAlerts } from "../../operations/alerts/store.ts";
import type { App } from "../../app.ts";
import { shared } from "../../base/share-answers.ts";
import { dueAt, isSendDay, localDate, timeOf } from "../../schedule/calendar.ts";
import { editionReason } from "../../editions/reason.ts";
import { isActive } from "../../editions/state.ts";
import { listCurrent } from "../../editions/store.ts";
import { operatorPathOf, editionName } from "../../base/edition-name.ts";
import { decisions } from "../../operations/decisions.ts";
import { editionStatus, status, type EditionStatus, type Status } from "../../operations/status.ts";
import { comingInWords, editionInWords, editionsOfDay } from "../../operations/today.ts";
import { listSources } from "../../sources/store.ts";
import { growth } from "../../subscribers/growth.ts";
import { englishOf } from "../../wording/catalogue.ts";
import { barOf } from "./bar.ts";
import { showsOutbox } from "../this-machine.ts";
import { needs, type Show } from "./desk.ts";
import { offeredActs } from "./edition-acts.ts";
import { lookedAt } from "./progress.ts";
import { streamOf } from "./shown.ts";
import { showSourceRow } from "./source-row.ts";
import { count, dayOf, moment, number, span } from "./format.ts";

const pressing = new Set(["pause", "resume", "approve"]);

/** `/operator`: today's edition, decisions to make, and the next send. */
export function addTodayPage(web: FastifyInstance, app: App, show: Show): void {
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
      { name: "today", title: "Today", place: "today" },
      {
        stream: streamOf(known.editions),
        sentence: lead
          ? editionInWords(lead, known.today)
          : comingInWords({
              now,
              today: known.today,
              next: next ?? null,
              due: known.due,
              skipped: schedule.skipped.has(known.today),
              sendAt: timeOf(known.today, schedule),
              inWords: span,
              dayInWords: (at) => dayOf(at, timezone, language),
            }),
        told: [...(lead ? [lead] : []), ...others].map((one) => `${editionName(one)}: ${one.state}.`).join(" "),
        decisions: decisions({
          editions: known.editions,
          empty: known.alerts.filter(({ kind }) => kind === "edition-empty").map((alert) => alert.sentence),
          unhealthy: known.status.sources.unhealthy,
          sources: known.status.sources.total,
          readers: known.status.subscribers.active,
          relay: known.status.transport.reason,
          planned: next !== undefined,
        }),
        lead: lead && showEdition(lead, known.today),
        others: others.map((one) => showEdition(one, known.today)),
        next: next
          ? { ...moment(next.at, timezone, language), note: next.note, wait: span(next.at.getTime() - now.getTime()) }
          : null,
        timezone,
        waiting: count(known.status.waiting, "article"),
        sendable: lead === null,
        readers: {
          active: count(known.status.subscribers.active, "active reader"),
          pending: known.status.subscribers.pending === 0 ? null : number(known.status.subscribers.pending),
          growth: known.growth.map((one) => ({
            span: one.days === 1 ? "Last 24 hours" : `Last ${one.days} days`,
            gained: number(one.gained),
            lost: number(one.lost),
          })),
        },
        sources: known.sources.map((source) => showSourceRow(source, { now, timezone, language })),
        outbox: app.config.embedded.mail,
        outboxShown: showsOutbox(app.config),
      },
    );
  });
}

function showEdition(edition: EditionStatus, today: string) {
  return {
    id: edition.id,
    name: editionName(edition),
    words: editionInWords(edition, today),
    state: edition.state,
    active: isActive(edition.state),
    path: operatorPathOf(edition),
    reason: editionReason(edition),
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
  due: boolean;
  growth: Awaited<ReturnType<typeof growth>>;
  sources: Awaited<ReturnType<typeof listSources>>;
  alerts: OpenAlert[];
}

async function load(app: App): Promise<Known> {
  const { db, clock } = app;
  const now = clock.now();
  const [known, newest, change, sources, alerts] = await Promise.all([
    status(app),
    listCurrent(db, lookedAt),
    growth(db, now),
    listSources(db),
    openAlerts(db),
  ]);
  const editions = await Promise.all(newest.map((edition) => editionStatus(db, edition)));
  const today = localDate(now, known.schedule.timezone);
  const at = dueAt(today, known.schedule);
  const none = !editions.some(({ date }) => date === today);
  const due = none && isSendDay(today, known.schedule) && at <= now && at > known.schedule.since;
  return { status: known, today, editions, due, growth: change, sources, alerts };
}
