import { sql } from "kysely";
import type { Clock } from "../base/clock.ts";
import type { Db } from "../db/schema.ts";
import { dueAt, isSendDay, localDate } from "../schedule/calendar.ts";
import { editionReason } from "./reason.ts";
import type { EditionState } from "./state.ts";
import { getEdition, type Edition } from "./store.ts";
import { editionName } from "../base/edition-name.ts";
import { loadStencil } from "./stencils.ts";
import { fitPositions } from "../render/fit.ts";
import { loadSchedule } from "../schedule/store.ts";
import { noSuchReader } from "../subscribers/preferences.ts";
import { findSubscriber, type Subscriber } from "../subscribers/store.ts";
import { findSuppressed } from "../subscribers/suppressions.ts";
import { explainNoEdition } from "../deliveries/why-no-edition.ts";
import { explainWhy, type Tagged, type Why, type WhyFacts } from "../deliveries/why.ts";

export interface Explanation {
  subscriber: Subscriber;
  /** Local date of the publication. */
  date: string;
  /** The answer in one sentence: of the date's first edition, or why there is none. */
  sentence: string;
  editions: (Why & { edition: string; state: EditionState })[];
}

export interface AskWhyDeps {
  db: Db;
  clock: Clock;
  options: { secret: string; maxArticles: number };
}

/**
 * Why a reader got what they got, or nothing, on a date: for each of its editions.
 * @param when a local date, with a number for one edition of it; today in the publication's zone if left out
 * @throws Refusal 404 for a reader who is not there
 */
export async function askWhy(
  deps: AskWhyDeps,
  subscriberId: number,
  when?: { date: string; number?: number },
): Promise<Explanation> {
  const { db, clock } = deps;
  const subscriber = await findSubscriber(db, subscriberId);
  if (!subscriber) throw noSuchReader(subscriberId);
  const schedule = await loadSchedule(db);
  const now = clock.now();
  const date = when?.date ?? localDate(now, schedule.timezone);
  const numbers = when?.number === undefined ? await numbersOf(db, date) : [when.number];
  const editions: Explanation["editions"] = [];
  for (const number of numbers) {
    const edition = await getEdition(db, date, number);
    const why = explainWhy(await factsOf(deps, edition, subscriber));
    editions.push({ edition: editionName(edition), state: edition.state, ...why });
  }
  const due = isSendDay(date, schedule) ? dueAt(date, schedule) : null;
  const none = { date, now, dueAt: due, skipped: schedule.skipped.has(date) };
  const sentence =
    editions[0]?.sentence ?? explainNoEdition({ ...none, since: schedule.since, timezone: schedule.timezone });
  return { subscriber, date, sentence, editions };
}

async function numbersOf(db: Db, date: string): Promise<number[]> {
  const rows = await db.selectFrom("editions").select("number").where("date", "=", date).orderBy("number").execute();
  return rows.map((row) => row.number);
}

async function factsOf(deps: AskWhyDeps, edition: Edition, subscriber: Subscriber): Promise<WhyFacts> {
  const { db, options } = deps;
  const key = subscriber.address.toLowerCase();
  return {
    edition: {
      name: editionName(edition),
      state: edition.state,
      reason: editionReason(edition),
      frozenAt: edition.frozen_at,
      timezone: edition.timezone,
      articles: await articlesOf(db, edition.id),
    },
    reader: {
      ...subscriber,
      tags: await followedBy(db, subscriber.id),
      suppressedFor: (await findSuppressed(db, options.secret, [key])).get(key) ?? null,
    },
    delivery: await deliveryOf(deps, edition.id, subscriber.id),
  };
}

async function articlesOf(db: Db, editionId: number): Promise<WhyFacts["edition"]["articles"]> {
  const { rows } = await sql<{ position: number; title: string; url: string; ids: number[]; names: string[] }>`
    select position, snapshot ->> 'title' as title, snapshot ->> 'url' as url, tag_ids as ids, snapshot -> 'tags' as names
    from edition_articles where edition_id = ${editionId} order by position`.execute(db);
  return rows.map(({ ids, names, ...article }) => ({
    ...article,
    tags: ids.map((id, index) => ({ id, name: names[index] ?? "" })),
  }));
}

/** One that is hidden is named as such: it brings nothing. */
async function followedBy(db: Db, subscriberId: number): Promise<Tagged[]> {
  const rows = await db
    .selectFrom("subscriber_tags as st")
    .innerJoin("tags as t", "t.id", "st.tag_id")
    .select(["t.id", "t.name", "t.hidden_at"])
    .where("st.subscriber_id", "=", subscriberId)
    .orderBy("t.key")
    .execute();
  return rows.map(({ id, name, hidden_at }) => ({ id, name: hidden_at === null ? name : `${name}, hidden` }));
}

async function deliveryOf(
  { db, options }: AskWhyDeps,
  editionId: number,
  subscriberId: number,
): Promise<WhyFacts["delivery"]> {
  const { rows } = await sql<Omit<NonNullable<WhyFacts["delivery"]>, "inMail" | "positions"> & { positions: number[] }>`
    select d.state, d.attempts, d.reply, d.due_at as "dueAt", d.settled_at as "settledAt", d.tag_ids as "tagIds", c.positions
    from deliveries d join cohorts c on c.id = d.cohort_id
    where d.edition_id = ${editionId} and d.subscriber_id = ${subscriberId}`.execute(db);
  const [row] = rows;
  if (!row) return null;
  // Retention takes the stencil of an old edition away; then the most of one mail is what is left to go by.
  const stencil = await loadStencil(db, editionId);
  const inMail = stencil
    ? fitPositions(stencil, row.positions, options.maxArticles).positions.length
    : Math.min(row.positions.length, options.maxArticles);
  return { ...row, inMail };
}
