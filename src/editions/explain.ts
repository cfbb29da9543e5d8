import { sql } from "kysely";
import type { Clock } from "../base/clock.ts";
import type { Db } from "../db/schema.ts";
import { dueAt, isSendDay, localDate } from "../schedule/calendar.ts";
import { reasonOfEdition } from "../db/edition-reason.ts";
import type { EditionState } from "./state.ts";
import { getEdition, type Edition } from "./store.ts";
import { editionName } from "../base/edition-name.ts";
import { loadStencil } from "./stencils.ts";
import { fitPositions } from "../render/fit.ts";
import { loadSchedule } from "../schedule/store.ts";
import { noSuchReader } from "../subscribers/preferences.ts";
import { findSubscriber, type Subscriber } from "../subscribers/store.ts";
import { findSuppressed } from "../subscribers/suppressions.ts";
import {
  explainNoEdition,
  explainWhy,
  type Explained,
  type NoEditionCode,
  type Tagged,
  type Why,
  type WhyFacts,
} from "../deliveries/why.ts";
import type { OutcomeReason } from "../ledger/outcome.ts";
import type { StoredOutcome } from "../outcomes/store.ts";

export interface Explanation {
  subscriber: Subscriber;
  /** Local date of the publication. */
  date: string;
  /** Of the times in the answer. */
  timezone: string;
  /** Why the date has no edition; null if it has one. */
  none: Explained<NoEditionCode> | null;
  editions: (Why & { edition: string; state: EditionState; timezone: string })[];
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
    editions.push({ edition: editionName(edition), state: edition.state, timezone: edition.timezone, ...why });
  }
  const due = isSendDay(date, schedule) ? dueAt(date, schedule) : null;
  const facts = { date, now, dueAt: due, skipped: schedule.skipped.has(date), since: schedule.since };
  const none = editions.length > 0 ? null : explainNoEdition(facts);
  return { subscriber, date, timezone: schedule.timezone, none, editions };
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
      reason: reasonOfEdition(edition),
      frozenAt: edition.frozen_at,
      deliveriesRemoved: edition.final_counts !== null,
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

async function followedBy(db: Db, subscriberId: number): Promise<Tagged[]> {
  const rows = await db
    .selectFrom("subscriber_tags as st")
    .innerJoin("tags as t", "t.id", "st.tag_id")
    .select(["t.id", "t.name", "t.hidden_at"])
    .where("st.subscriber_id", "=", subscriberId)
    .orderBy("t.key")
    .execute();
  return rows.map(({ id, name, hidden_at }) => ({ id, name, hidden: hidden_at !== null }));
}

async function deliveryOf(
  { db, options }: AskWhyDeps,
  editionId: number,
  subscriberId: number,
): Promise<WhyFacts["delivery"]> {
  type Kept = Omit<NonNullable<WhyFacts["delivery"]>, "inMail" | "positions" | "outcome" | "outcomes">;
  type Row = Kept & { id: number; positions: number[] };
  const { rows } = await sql<Row & OutcomeReason>`
    select d.id, d.state, d.attempts, d.reason_code as code, d.reason_data as data, d.reply, d.due_at as "dueAt", d.settled_at as "settledAt", d.tag_ids as "tagIds", c.positions
    from deliveries d join cohorts c on c.id = d.cohort_id
    where d.edition_id = ${editionId} and d.subscriber_id = ${subscriberId}`.execute(db);
  const [row] = rows;
  if (!row) return null;
  // Retention takes the stencil of an old edition away; then the most of one mail is what is left to go by.
  const stencil = await loadStencil(db, editionId);
  const inMail = stencil
    ? fitPositions(stencil, row.positions, options.maxArticles).positions.length
    : Math.min(row.positions.length, options.maxArticles);
  const { id, code, data, reply, ...delivery } = row;
  return { ...delivery, outcome: { code, data, reply }, inMail, outcomes: await outcomesOf(db, editionId, id) };
}

function outcomesOf(db: Db, editionId: number, deliveryId: number): Promise<StoredOutcome[]> {
  return db
    .selectFrom("delivery_outcomes")
    .select(["outcome", "kind", "code", "text", "source", "guess", "happened_at as at"])
    .where("edition_id", "=", editionId)
    .where("delivery_id", "=", deliveryId)
    .orderBy("happened_at")
    .execute();
}
