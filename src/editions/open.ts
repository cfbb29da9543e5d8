import type { Clock } from "../base/clock.ts";
import { Refusal } from "../base/errors.ts";
import type { Log } from "../base/log.ts";
import type { Trace } from "../base/trace.ts";
import { analyzeAfter } from "../db/sql.ts";
import type { Db, Tx } from "../db/schema.ts";
import { type Draft, keepWithEdition, layoutOf, openDraft, untouched } from "./draft.ts";
import { ownHour } from "../schedule/calendar.ts";
import { type Reason, reasonColumns } from "../db/edition-reason.ts";
import { afterEvent } from "./state.ts";
import { type Edition, findEdition, getEdition, lockOpening } from "./store.ts";
import { editionName } from "../base/edition-name.ts";
import { sql } from "kysely";
import { lockArticles, pictureOf } from "../articles/store.ts";
import { joinTag } from "../articles/tag-store.ts";
import { countAudience, fanOut, type FanOut, type FanOutOptions } from "../deliveries/audience.ts";
import type { WarmUpPlan } from "../deliveries/warm-up.ts";
import { warmUpOf } from "../deliveries/warm-up-rooms.ts";

export interface OpenDeps {
  db: Db;
  clock: Clock;
  log: Log;
  trace: Trace;
  /** Polls every source once more; bounded in time, and never throws for a source that fails. */
  gather(): Promise<void>;
  options: { sliceSize: number; expireHours: number } & WarmUpPlan;
}

export interface OpenRequest {
  date: string;
  dueAt: Date;
  timezone: string;
  /** An extra edition takes the next free number of the date; the regular one is number 1 and there is only one. */
  extra: boolean;
  /** Of an extra edition: the number of the date's last one when it was asked for; with a newer one, there is nothing to make. */
  after?: number;
  /** The publication's hour: readers with a zone of their own get it then by their clock. Without it, all at once. */
  sendAt?: string;
  reason?: Reason;
  /** Who asked for it by hand, and thereby approved it. */
  approvedBy?: string;
}

export interface Opened {
  edition: Edition;
  /** False when the date already had its edition, which is then left as it is. */
  created: boolean;
}

/**
 * Opens the edition of a local date: gathers, then in one transaction makes its row, claims its articles and fixes its
 * audience. Safe to call twice, also at the same time on two nodes: the second call finds what the first one made.
 */
export async function openEdition(deps: OpenDeps, request: OpenRequest): Promise<Opened> {
  return deps.trace("open edition", { date: request.date }, async (note) => {
    const opened = await open(deps, request);
    const { id, articles, selected } = opened.edition;
    note({ edition: id, articles, selected, created: opened.created });
    if (opened.created) await analyzeOpened(deps.db, opened.edition);
    return opened;
  });
}

/** Gives PostgreSQL statistics of a new edition's rows. */
export async function analyzeOpened(db: Db, { articles, selected }: Edition): Promise<void> {
  await analyzeAfter(db, { edition_articles: articles, deliveries: selected });
}

async function open(deps: OpenDeps, request: OpenRequest): Promise<Opened> {
  if (!request.extra) {
    const edition = await findEdition(deps.db, request.date);
    if (edition) return { edition, created: false };
  }
  const number = request.extra ? (request.after ?? (await lastNumber(deps.db, request.date))) + 1 : 1;
  await deps.gather();
  return deps.db.transaction().execute(async (tx) => {
    await lockOpening(tx);
    return openGathered(deps, tx, request, number);
  });
}

/** The part of `openEdition` that comes after gathering, for a transaction that holds the lock of opening. */
export async function openGathered(deps: OpenDeps, tx: Tx, request: OpenRequest, number: number): Promise<Opened> {
  const present = await findEdition(tx, request.date, number);
  if (present) return { edition: present, created: false };
  const edition = await makeEdition(deps, tx, request, number);
  deps.log.info(
    { edition: edition.id, date: editionName(edition), articles: edition.articles, selected: edition.selected },
    edition.state === "empty" ? "edition is empty" : "edition frozen",
  );
  return { edition, created: true };
}

/** Writes down a date whose edition was not sent, and why; its articles stay unclaimed for the next one. */
export async function recordMissed(
  db: Db | Tx,
  missed: { date: string; dueAt: Date; timezone: string; reason: Reason; now: Date },
): Promise<boolean> {
  const inserted = await db
    .insertInto("editions")
    .values({
      date: missed.date,
      number: 1,
      ...afterEvent("miss", null, { now: missed.now }),
      timezone: missed.timezone,
      due_at: missed.dueAt,
      opened_at: missed.now,
      ...reasonColumns(missed.reason),
    })
    .onConflict((conflict) => conflict.columns(["date", "number"]).doNothing())
    .executeTakeFirst();
  return inserted.numInsertedOrUpdatedRows === 1n;
}

async function makeEdition(deps: OpenDeps, tx: Tx, request: OpenRequest, number: number): Promise<Edition> {
  const now = deps.clock.now();
  const { id } = await tx
    .insertInto("editions")
    .values({
      date: request.date,
      number,
      ...afterEvent("open", null, { now, expireHours: deps.options.expireHours }),
      timezone: request.timezone,
      due_at: request.dueAt,
      opened_at: now,
      frozen_at: now,
      ...reasonColumns(request.reason ?? null),
      approved_by: request.approvedBy ?? null,
    })
    .returning("id")
    .executeTakeFirstOrThrow();
  const draft = await openDraft(tx, request.date, true);
  const frozen = await freeze(tx, {
    id,
    now,
    ...(draft ? { draft } : {}),
    sliceSize: deps.options.sliceSize,
    leaves: ownHours(request, now),
    warmUp: await warmUpOf(tx, deps.options, request.date),
  });
  if (frozen && draft) await keepWithEdition(tx, draft, id);
  await tx
    .updateTable("editions")
    .set(
      frozen
        ? {
            articles: frozen.articles,
            readers: frozen.readers,
            unmatched: frozen.readers - frozen.selected,
            selected: frozen.selected,
            slices: frozen.slices,
            warm_up: frozen.warmUp && JSON.stringify(frozen.warmUp),
            introduction: draft?.introduction ?? null,
            subject: draft?.subject ?? null,
          }
        : {
            ...afterEvent("find-nothing", "opening", { now }),
            ...reasonColumns({ code: "no_articles", data: {} }),
            readers: (await countAudience(tx, [], now)).readers,
          },
    )
    .where("id", "=", id)
    .execute();
  return getEdition(tx, request.date, number);
}

function ownHours({ dueAt, sendAt }: OpenRequest, now: Date): ((timezone: string) => Date | null) | undefined {
  if (sendAt === undefined) return undefined;
  return (timezone) => {
    try {
      const at = ownHour(dueAt, timezone, sendAt);
      return at > now ? at : null;
    } catch {
      return null; // A zone that this machine does not know must not keep an edition from everybody.
    }
  };
}

async function lastNumber(db: Db, date: string): Promise<number> {
  const row = await db
    .selectFrom("editions")
    .select((eb) => eb.fn.max("number").as("highest"))
    .where("date", "=", date)
    .executeTakeFirst();
  if (!row?.highest) {
    throw new Refusal(409, "no_regular_edition", { date });
  }
  return row.highest;
}

/**
 * Claims every eligible article for the edition, in the order and with the words that the draft wants and otherwise newest
 * first, snapshots them (`EditionArticle` without its position) without the tags that are hidden, and fixes the audience. An
 * article that comes later belongs to the next edition; none is in two, none falls between.
 * @returns null when there was no article to claim
 */
export async function freeze(
  tx: Tx,
  edition: { id: number; draft?: Draft } & FanOutOptions,
): Promise<(FanOut & { articles: number }) | null> {
  // Else a merge of tags could fall between the articles and the readers.
  await lockArticles(tx);
  const layout = layoutOf(edition.draft ?? untouched);
  const { numAffectedRows } = await sql`
    with claimed as (
      update articles a set edition_id = ${edition.id}
      where edition_id is null and not hidden and not backlog and eligible_at <= ${edition.now}
        and not ${layout.leftOut}
      returning *
    )
    insert into edition_articles (edition_id, position, article_id, tag_ids, snapshot)
    select a.edition_id, row_number() over (order by ${layout.order}) - 1, a.id,
      tagged.ids,
      jsonb_build_object(
        'title', ${layout.title}, 'url', a.url, 'summary', ${layout.summary}, 'tags', tagged.names,
        'origin', case when a.origin_name is not null
          then jsonb_build_object('name', a.origin_name, 'url', a.origin_url) end,
        'picture', ${pictureOf("a")},
        'publishedAt', to_char(a.published_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'))
    from claimed a, lateral (
      select coalesce(array_agg(t.id order by at.position), '{}') as ids,
        coalesce(array_agg(t.name order by at.position), '{}') as names
      from article_tags at ${joinTag.at} where at.article_id = a.id and t.hidden_at is null
    ) tagged`.execute(tx);
  const articles = Number(numAffectedRows ?? 0n);
  if (articles === 0) return null;
  return { articles, ...(await fanOut(tx, edition.id, edition)) };
}
