import type { FastifyInstance } from "fastify";
import type { OpenAlert } from "../../alerts/compare.ts";
import { openAlerts } from "../../alerts/store.ts";
import type { App } from "../../app.ts";
import { dueAt, isSendDay, localDate, timeOf } from "../../editions/calendar.ts";
import { editionName, listEditions } from "../../editions/store.ts";
import { decisions } from "../../ops/decisions.ts";
import { editionStatus, status, type EditionStatus, type Status } from "../../ops/status.ts";
import { todayInWords } from "../../ops/today.ts";
import { listSources } from "../../sources/store.ts";
import { growth } from "../../subscribers/growth.ts";
import { shared } from "../../base/share-answers.ts";
import { pageLanguage } from "../views.ts";
import { barOf } from "./bar.ts";
import { needs, type Show } from "./desk.ts";
import { offeredActs } from "./edition-acts.ts";
import { showSourceRow } from "./source-row.ts";
import { count, dayOf, moment, number, span } from "./words.ts";

const looked = 3;
/** A page that is looked at so shortly before a send waits for it. */
const soonMs = 30 * 60_000;
const pressing = new Set(["pause", "resume", "approve"]);

/** `/operator`: today's edition at a glance, what needs a decision, what comes next. */
export function addTodayPage(web: FastifyInstance, app: App, show: Show): void {
  const facts = shared(() => load(app));
  web.get("/operator", needs.viewer, async (request, reply) => {
    const known = await facts();
    const now = app.clock.now();
    const language = pageLanguage(app.config.language);
    const { timezone } = known.status.schedule;
    const [next] = known.status.next;
    const active = known.todays.find(({ state }) => state === "sending" || state === "paused" || state === "held");
    const edition = active ?? known.todays[0] ?? null;
    const sentence = todayInWords({
      now,
      today: known.today,
      edition,
      next: next ?? null,
      due: known.due,
      sendAt: timeOf(known.today, known.status.schedule),
      inWords: span,
      dayInWords: (at) => dayOf(at, timezone, language),
    });
    return show(
      request,
      reply,
      { name: "today", title: "Today", place: "today" },
      {
        sentence,
        soon: known.due || (next !== undefined && next.at.getTime() - now.getTime() < soonMs),
        decisions: decisions({
          editions: known.editions,
          empty: known.alerts.filter(({ kind }) => kind === "edition-empty").map((alert) => alert.sentence),
          unhealthy: known.status.sources.unhealthy,
          sources: known.status.sources.total,
          readers: known.status.subscribers.active,
          relay: known.status.transport.reason,
          planned: next !== undefined,
        }),
        edition: edition && {
          name: editionName(edition),
          state: edition.state,
          path: `/operator/editions/${editionName(edition)}`,
          reason: edition.reason,
          bar: edition.selected > 0 ? barOf(edition.balance) : null,
          // What is pressing; the rest is on its own page.
          acts: offeredActs(edition).filter(({ action }) => pressing.has(action)),
        },
        next: next
          ? { ...moment(next.at, timezone, language), note: next.note, wait: span(next.at.getTime() - now.getTime()) }
          : null,
        timezone,
        waiting: count(known.status.waiting, "article"),
        sendable: known.todays.length === 0,
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
      },
    );
  });
}

interface Known {
  status: Status;
  today: string;
  /** Newest first. */
  editions: EditionStatus[];
  todays: EditionStatus[];
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
    listEditions(db, looked),
    growth(db, now),
    listSources(db),
    openAlerts(db),
  ]);
  const editions = await Promise.all(newest.map((edition) => editionStatus(db, edition)));
  const today = localDate(now, known.schedule.timezone);
  const todays = editions.filter(({ date }) => date === today);
  const at = dueAt(today, known.schedule);
  const due = todays.length === 0 && isSendDay(today, known.schedule) && at <= now && at > known.schedule.since;
  return { status: known, today, editions, todays, due, growth: change, sources, alerts };
}
