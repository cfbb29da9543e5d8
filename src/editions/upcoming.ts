import { sql } from "kysely";
import { pictureOf } from "../articles/store.ts";
import { shownTagNames } from "../articles/tag-store.ts";
import type { Clock } from "../base/clock.ts";
import type { Db, Tx } from "../db/schema.ts";
import { planWarmUp } from "../deliveries/audience.ts";
import type { EditionWarmUp, WarmUpPlan } from "../deliveries/warm-up.ts";
import { localDate, type NextSend } from "../schedule/calendar.ts";
import { nextEdition } from "../schedule/next-edition.ts";
import { type SampleOf, sampleOfArticles } from "./sample.ts";
import { recordedDates } from "./store.ts";
import { editionName } from "../base/edition-name.ts";
import type { EditionArticle } from "../render/types.ts";
import { loadSchedule } from "../schedule/store.ts";
import { type Draft, layoutOf, openDraft, untouched } from "./draft.ts";
import type { ArticleLink } from "./links.ts";

export interface ComingDeps {
  db: Db;
  clock: Clock;
}

/** An article that the next edition would claim now, as that edition would show it. */
export interface ComingArticle extends Omit<EditionArticle, "position"> {
  id: number;
  /** It stays out of this edition. */
  leftOut: boolean;
  /** Its source's title and summary, where an editor's own stand instead. */
  original: { title: string; summary: string } | null;
}

export interface ComingEdition {
  date: string;
  /** When it is due; null when no date is left to send on. */
  send: NextSend | null;
  timezone: string;
  /** 0 while nobody has edited it. */
  revision: number;
  draft: Draft;
  /** In the order of the email; those left out are at the end. */
  articles: ComingArticle[];
}

/**
 * The next edition as it would be if it were frozen now. Nothing is claimed.
 * @param sent "today" for the edition that an operator sends now, whose date is today's
 */
export async function comingEdition({ db, clock }: ComingDeps, sent?: "today"): Promise<ComingEdition> {
  const now = clock.now();
  const schedule = await loadSchedule(db);
  const today = localDate(now, schedule.timezone);
  const [send] = nextEdition(now, schedule, await recordedDates(db, today)).sends;
  const date = sent === undefined && send ? send.date : today;
  const draft = await openDraft(db, date);
  return {
    date,
    send: send ?? null,
    timezone: schedule.timezone,
    revision: draft?.revision ?? 0,
    draft: draft ?? untouched,
    articles: await comingArticles(db, now, draft ?? untouched),
  };
}

/** The next edition, for a sample copy. */
export async function comingSample(deps: ComingDeps): Promise<SampleOf> {
  return sampleOfComing(await comingEdition(deps));
}

/** The same of a loaded edition, without the articles that are left out. */
export function sampleOfComing({ date, draft, articles }: ComingEdition): SampleOf {
  const edition = { date, number: 1 };
  const shown = articles
    .filter(({ leftOut }) => !leftOut)
    .map(({ title, url, summary, tags, origin, publishedAt, picture = null }, position) => ({
      position,
      title,
      url,
      summary,
      tags,
      origin,
      publishedAt,
      picture,
    }));
  return sampleOfArticles(edition, shown, `/editions/${editionName(edition)}`, draft);
}

/** The links of the next edition, in the order of its articles. */
export function comingLinks({ articles }: ComingEdition): ArticleLink[] {
  return articles.filter(({ leftOut }) => !leftOut).map(({ id, title, url }) => ({ id, title, url }));
}

/** What the warm-up would do to the next edition if it were frozen now; null if its date has no cap. */
export async function comingWarmUp(
  { db, clock, options }: ComingDeps & { options: WarmUpPlan },
  coming: ComingEdition,
): Promise<EditionWarmUp | null> {
  const articleIds = coming.articles.filter(({ leftOut }) => !leftOut).map(({ id }) => id);
  return planWarmUp(db, options, { date: coming.date, articleIds, now: clock.now() });
}

export async function comingArticles(db: Db | Tx, now: Date, draft: Draft): Promise<ComingArticle[]> {
  const layout = layoutOf(draft);
  const { rows } = await sql<Row>`
    select a.id, ${layout.title} as title, ${layout.summary} as summary, a.title as "ownTitle",
      a.summary as "ownSummary", a.url, a.published_at as "publishedAt", ${layout.leftOut} as "leftOut",
      case when a.origin_name is not null then jsonb_build_object('name', a.origin_name, 'url', a.origin_url) end as origin,
      ${pictureOf("a")} as picture,
      ${shownTagNames(sql.ref("a.id"))} as tags
    from articles a
    where a.edition_id is null and not a.hidden and not a.backlog and a.eligible_at <= ${now}
    order by ${layout.leftOut}, ${layout.order}`.execute(db);
  return rows.map(({ ownTitle, ownSummary, ...row }) => ({
    ...row,
    publishedAt: row.publishedAt?.toISOString() ?? null,
    original: row.title === ownTitle && row.summary === ownSummary ? null : { title: ownTitle, summary: ownSummary },
  }));
}

type Row = Omit<ComingArticle, "publishedAt" | "original"> & {
  publishedAt: Date | null;
  ownTitle: string;
  ownSummary: string;
};
