import { type Selectable, sql } from "kysely";
import type { Reason } from "../base/errors.ts";
import { setImmediate } from "node:timers/promises";
import type { Clock } from "../base/clock.ts";
import { analyzeAfter } from "../db/sql.ts";
import type { Db, Schema, Tx } from "../db/schema.ts";
import type { FeedItem } from "../sources/parse-item.ts";
import { canonicalKey } from "./normalise.ts";
import { lockArticles } from "./store.ts";
import { findKeys, inSlices, makeTags, offerRequested } from "./tag-store.ts";
import { cleanTags, tagKey } from "./tags.ts";

export interface ItemOutcome {
  url: string;
  outcome: "added" | "updated" | "unchanged" | "refused";
  /** The article's id, unless it was refused. */
  id: number | null;
  /** Why it was refused, or why it will not be emailed. */
  reason: Reason | null;
  /** Tags that the article did not get, by the limit that kept them out. */
  leftOut: { [limit in TagLimit]: string[] };
}

/** `articleTags` limits the tags of one article, `newTags` the tags that one poll or request creates. */
export type TagLimit = keyof typeof tagLimits;

/**
 * Readers choose from a list of all tags, so one document must not flood it. A newsroom creates a few dozen tags a day, and
 * 500 leave room for the first poll of a large feed. Pages and emails are not laid out for more than 50 tags of an article.
 */
export const tagLimits = { articleTags: 50, newTags: 500 } as const;

export interface IngestSource {
  id: number;
  kind: "feed" | "api";
  extra_tags: string[];
  renamed_tags: Record<string, string | undefined>;
  /** When it was last read successfully; null for a new source and for the API. */
  succeeded_at: Date | null;
}

/** An article that was published longer than this before its source was last read is stored and not emailed. */
const backlogMs = 48 * 3_600_000;
/** Items and tags of one transaction. */
const batchSize = { items: 50, tags: 500 };

/**
 * Ingests articles from feeds and from the API. Items with the same guid or canonical URL are one article: its tags are
 * combined, and its first source can edit it until an edition freezes it. Returns one outcome for each item, in order.
 * Batches are committed one by one; after a failure, ingesting the same items again completes the rest.
 */
export async function ingest(
  deps: { db: Db; clock: Clock },
  source: IngestSource,
  items: readonly FeedItem[],
): Promise<ItemOutcome[]> {
  const document: Document = { articles: new Map(), newTags: 0, placedTags: 0 };
  const outcomes: ItemOutcome[] = [];
  for (const batch of inBatches(items)) {
    const take = (tx: Tx): Promise<ItemOutcome[]> => takeBatch(tx, deps.clock.now(), source, batch, document);
    for (const outcome of await deps.db.transaction().execute(take)) outcomes.push(outcome);
    await setImmediate();
  }
  const added = outcomes.filter(({ outcome }) => outcome === "added").length;
  const { newTags, placedTags } = document;
  await analyzeAfter(deps.db, { articles: added, article_guids: added, article_tags: placedTags, tags: newTags });
  return outcomes;
}

/** A problem for each limit that left out tags. */
export function tagProblems(outcomes: readonly ItemOutcome[]): Reason[] {
  const codes = { articleTags: "article_tags_over_limit", newTags: "new_tags_over_limit" } as const;
  return (Object.keys(tagLimits) as TagLimit[]).flatMap((limit) => {
    const short = outcomes.filter(({ leftOut }) => leftOut[limit].length > 0);
    if (short.length === 0) return [];
    const names = new Set(short.flatMap(({ leftOut }) => leftOut[limit]));
    const shown = [...names].slice(0, 3).map((name) => JSON.stringify(name));
    const details = { shown: shown.join(", "), url: short[0]!.url, most: tagLimits[limit] };
    return [{ code: codes[limit], details: { tags: names.size, articles: short.length, ...details } }];
  });
}

/** State from earlier batches of the same document. */
interface Document {
  /** Ids of its articles by canonical URL. A second item for one of them only adds tags. */
  articles: Map<string, number>;
  newTags: number;
  placedTags: number;
}

function inBatches(items: readonly FeedItem[]): FeedItem[][] {
  const batches: FeedItem[][] = [];
  let room = { items: 0, tags: 0 };
  for (const item of items) {
    if (room.items < 1 || room.tags < item.tags.length) {
      room = { ...batchSize };
      batches.push([]);
    }
    batches.at(-1)!.push(item);
    room = { items: room.items - 1, tags: room.tags - item.tags.length };
  }
  return batches;
}

/** An article that this batch found or creates. */
interface Article {
  /** null until it is inserted. */
  id: number | null;
  url_key: string;
  columns: Columns;
  firstSeen: Date;
  sourceId: number | null;
  backlog: boolean;
  frozen: boolean;
  edited: boolean;
  /** An earlier item of the document was the same article. */
  again: boolean;
  tags: Set<TagRef>;
  lastPosition: number;
}

/** The id of a tag, or the key of one that this batch creates. */
type TagRef = number | string;

/**
 * Decides about all items in memory, then writes each table once. The lock of `lockArticles` keeps the rows unchanged in
 * between.
 */
async function takeBatch(
  tx: Tx,
  now: Date,
  source: IngestSource,
  items: readonly FeedItem[],
  document: Document,
): Promise<ItemOutcome[]> {
  // Two sources can bring the same new article at the same time.
  await lockArticles(tx);
  const named = items.map((item) => ({ item, key: canonicalKey(item.url), tags: tagNames(source, item) }));
  const known = await loadKnown(tx, source, named, document);
  const made: Article[] = [];
  const guids = new Map<string, Article>();
  const placed: { article: Article; ref: TagRef; position: number }[] = [];
  const newTags = new Map<string, string>();
  const taken = named.map(({ item, key, tags }) => {
    const outcome: ItemOutcome = {
      url: item.url,
      outcome: "refused",
      id: null,
      reason: null,
      leftOut: { articleTags: [], newTags: [] },
    };
    if (item.title.trim() === "") {
      outcome.reason = { code: "article_without_title", details: { url: item.url } };
      return { outcome, article: null };
    }
    const byGuid = item.guid === null ? undefined : known.byGuid.get(item.guid);
    const present = known.byUrl.get(key) ?? sameArticle(byGuid, item);
    const article = present ?? newArticle(source, item, key, now);
    if (!present) made.push(article);
    known.byUrl.set(key, article);
    if (item.guid !== null && byGuid !== article) {
      guids.set(item.guid, article);
      known.byGuid.set(item.guid, article);
    }
    const edited = present !== undefined && edit(source, article, item, key);
    article.again = true;
    const before = placed.length;
    if (!article.frozen) tag(article, tags, outcome.leftOut);
    outcome.outcome = !present ? "added" : edited || placed.length > before ? "updated" : "unchanged";
    if (!present && article.backlog) outcome.reason = backlogReason(item);
    return { outcome, article };
  });

  const tagIds = await makeTags(tx, now, newTags);
  document.newTags += newTags.size;
  document.placedTags += placed.length;
  await insertArticles(tx, now, source, made);
  await updateArticles(tx, now, new Set(known.byUrl.values()));
  await rememberGuids(tx, source.id, guids);
  await insertTags(tx, placed, tagIds);
  for (const [key, article] of known.byUrl) if (article.again) document.articles.set(key, article.id!);
  return taken.map(({ outcome, article }) => ({ ...outcome, id: article?.id ?? null }));

  /** Adds tags after the article's present ones. Room is reserved for the source's own tags. */
  function tag(article: Article, tags: TagNames, leftOut: ItemOutcome["leftOut"]): void {
    const wanted = new Map<TagRef, { name: string; own: boolean }>();
    for (const { name, own } of tags) {
      const ref = known.tags.get(tagKey(name))?.id ?? tagKey(name);
      if (!wanted.has(ref)) wanted.set(ref, { name, own });
    }
    let reserved = [...wanted].filter(([ref, { own }]) => own && !article.tags.has(ref)).length;
    for (const [ref, { name, own }] of wanted) {
      if (article.tags.has(ref)) continue;
      if (own) reserved -= 1;
      if (article.tags.size + reserved >= tagLimits.articleTags) {
        leftOut.articleTags.push(name);
        continue;
      }
      if (typeof ref === "string" && !newTags.has(ref)) {
        if (document.newTags + newTags.size >= tagLimits.newTags) {
          leftOut.newTags.push(name);
          continue;
        }
        newTags.set(ref, name);
      }
      article.tags.add(ref);
      article.lastPosition += 1;
      placed.push({ article, ref, position: article.lastPosition });
    }
  }
}

/** Unique tag names of the item, then of its source. `own` marks tags that the source gives to all its articles. */
type TagNames = { name: string; own: boolean }[];

function tagNames(source: IngestSource, item: FeedItem): TagNames {
  const renames = new Map(Object.entries(source.renamed_tags));
  const renamed = cleanTags(item.tags, Infinity).map((name) => renames.get(tagKey(name)) ?? name);
  const own = new Set(source.extra_tags.map(tagKey));
  const names = cleanTags([...renamed, ...source.extra_tags], Infinity);
  return names.map((name) => ({ name, own: own.has(tagKey(name)) }));
}

interface Known {
  byUrl: Map<string, Article>;
  byGuid: Map<string, Article>;
  tags: Map<string, { id: number }>;
}

async function loadKnown(
  tx: Tx,
  source: IngestSource,
  named: readonly { item: FeedItem; key: string; tags: TagNames }[],
  document: Document,
): Promise<Known> {
  const keys = named.map(({ key }) => key);
  const guids = named.flatMap(({ item }) => item.guid ?? []);
  const earlier = keys.flatMap((key) => document.articles.get(key) ?? []);
  const { rows } = await sql<
    Selectable<Schema["articles"]> & { guids: string[]; tag_ids: number[]; last_position: number }
  >`
    with ids as materialized (
      select id from articles where url_key = any(${keys})
      union select article_id from article_guids where source_id = ${source.id} and guid = any(${guids})
      union select unnest(${earlier}::bigint[])
    )
    select a.*,
      array(select guid from article_guids g
        where g.article_id = a.id and g.source_id = ${source.id} and g.guid = any(${guids})) as guids,
      array(select tag_id from article_tags t where t.article_id = a.id) as tag_ids,
      coalesce((select max(position) from article_tags t where t.article_id = a.id), 0) as last_position
    from ids join articles a using (id)`.execute(tx);
  const known: Known = { byUrl: new Map(), byGuid: new Map(), tags: new Map() };
  const before = new Set(document.articles.values());
  const byId = new Map<number, Article>();
  for (const { id, url_key, guids: own, tag_ids, last_position, ...row } of rows) {
    const { url, title, summary, origin_name, origin_url, published_at, eligible_at } = row;
    const { picture_url, picture_alt, picture_width, picture_height } = row;
    const picture = { picture_url, picture_alt, picture_width, picture_height };
    const article: Article = {
      id,
      url_key,
      columns: { url, title, summary, origin_name, origin_url, ...picture, published_at, eligible_at },
      firstSeen: row.first_seen_at,
      sourceId: row.source_id,
      backlog: row.backlog,
      frozen: row.edition_id !== null,
      edited: false,
      again: before.has(id),
      tags: new Set(tag_ids),
      lastPosition: last_position,
    };
    byId.set(id, article);
    known.byUrl.set(url_key, article);
    for (const guid of own) known.byGuid.set(guid, article);
  }
  for (const key of keys) {
    const article = byId.get(document.articles.get(key) ?? -1);
    if (article) known.byUrl.set(key, article);
  }
  known.tags = await findKeys(tx, [...new Set(named.flatMap(({ tags }) => tags.map(({ name }) => tagKey(name))))]);
  return known;
}

/** A known guid with another link and another headline is another article, because some systems reuse guids. */
function sameArticle(article: Article | undefined, item: FeedItem): Article | undefined {
  if (!article) return undefined;
  return article.columns.url === item.url || article.columns.title === item.title ? article : undefined;
}

function newArticle(source: IngestSource, item: FeedItem, key: string, now: Date): Article {
  return {
    id: null,
    url_key: key,
    columns: columnsOf(item, now),
    firstSeen: now,
    sourceId: source.id,
    backlog: isBacklog(item, source, now),
    frozen: false,
    edited: false,
    again: false,
    tags: new Set(),
    lastPosition: 0,
  };
}

/**
 * Measured from the last read, so that articles published during an outage are not backlog. An article without a readable
 * date was published at any time before the first read of its feed, and since the last read otherwise.
 */
function isBacklog({ publishedAt }: FeedItem, source: IngestSource, now: Date): boolean {
  const lastRead = source.succeeded_at;
  if (publishedAt === null) return source.kind === "feed" && lastRead === null;
  return publishedAt.getTime() < (lastRead ?? now).getTime() - backlogMs;
}

function backlogReason({ publishedAt }: FeedItem): Reason {
  return publishedAt === null
    ? { code: "articles_undated", details: { n: 1 } }
    : { code: "article_too_old", details: { hours: backlogMs / 3_600_000 } };
}

/** @returns whether the item changes its article, which only the first source and only its first item may do */
function edit(source: IngestSource, article: Article, item: FeedItem, key: string): boolean {
  if (article.frozen || article.again || article.sourceId !== source.id) return false;
  const columns = columnsOf(item, article.firstSeen);
  const changed = (Object.keys(columns) as (keyof Columns)[]).some(
    (column) => String(columns[column]?.valueOf() ?? null) !== String(article.columns[column]?.valueOf() ?? null),
  );
  if (!changed) return false;
  Object.assign(article, { columns, url_key: key, edited: true });
  return true;
}

type Columns = ReturnType<typeof columnsOf>;

/** @param seen when the article was first seen; it becomes eligible then, or at its date if that is later */
function columnsOf(item: FeedItem, seen: Date) {
  return {
    url: item.url,
    title: item.title,
    summary: item.summary,
    origin_name: item.origin?.name ?? null,
    origin_url: item.origin?.url ?? null,
    picture_url: item.picture?.url ?? null,
    picture_alt: item.picture?.alt ?? null,
    picture_width: item.picture?.width ?? null,
    picture_height: item.picture?.height ?? null,
    published_at: item.publishedAt,
    eligible_at: item.publishedAt !== null && item.publishedAt > seen ? item.publishedAt : seen,
  };
}

/** Sets their ids. */
async function insertArticles(tx: Tx, now: Date, source: IngestSource, made: readonly Article[]): Promise<void> {
  if (made.length === 0) return;
  const rows = await tx
    .insertInto("articles")
    .values(
      made.map(({ columns, url_key, backlog }) => ({
        ...columns,
        source_id: source.id,
        url_key,
        first_seen_at: now,
        changed_at: now,
        backlog,
      })),
    )
    .returning(["id", "url_key"])
    .execute();
  const ids = new Map(rows.map(({ id, url_key }) => [url_key, id]));
  for (const article of made) article.id = ids.get(article.url_key)!;
}

async function updateArticles(tx: Tx, now: Date, articles: Iterable<Article>): Promise<void> {
  const edited = [...articles].filter((article) => article.edited);
  if (edited.length === 0) return;
  const all = <K extends keyof Columns>(column: K): Columns[K][] => edited.map(({ columns }) => columns[column]);
  await sql`
    update articles a set url = e.url, url_key = e.url_key, title = e.title, summary = e.summary,
      origin_name = e.origin_name, origin_url = e.origin_url, picture_url = e.picture_url, picture_alt = e.picture_alt,
      picture_width = e.picture_width, picture_height = e.picture_height, published_at = e.published_at,
      eligible_at = e.eligible_at, changed_at = ${now}
    from unnest(${edited.map(({ id }) => id)}::bigint[], ${edited.map(({ url_key }) => url_key)}::text[],
      ${all("url")}::text[], ${all("title")}::text[], ${all("summary")}::text[], ${all("origin_name")}::text[],
      ${all("origin_url")}::text[], ${all("picture_url")}::text[], ${all("picture_alt")}::text[],
      ${all("picture_width")}::int[], ${all("picture_height")}::int[], ${all("published_at")}::timestamptz[], ${all("eligible_at")}::timestamptz[])
      as e(id, url_key, url, title, summary, origin_name, origin_url, picture_url, picture_alt, picture_width, picture_height,
        published_at, eligible_at)
    where a.id = e.id and a.edition_id is null`.execute(tx);
}

async function rememberGuids(tx: Tx, sourceId: number, guids: ReadonlyMap<string, Article>): Promise<void> {
  if (guids.size === 0) return;
  await tx
    .insertInto("article_guids")
    .values(Array.from(guids, ([guid, { id }]) => ({ source_id: sourceId, guid, article_id: id! })))
    .onConflict((conflict) =>
      conflict.columns(["source_id", "guid"]).doUpdateSet((eb) => ({ article_id: eb.ref("excluded.article_id") })),
    )
    .execute();
}

async function insertTags(
  tx: Tx,
  placed: readonly { article: Article; ref: TagRef; position: number }[],
  made: ReadonlyMap<string, number>,
): Promise<void> {
  for (const some of inSlices(placed)) {
    const tagIds = some.map(({ ref }) => (typeof ref === "number" ? ref : made.get(ref)!));
    await sql`
      insert into article_tags (article_id, tag_id, position)
      select * from unnest(${some.map(({ article }) => article.id)}::bigint[], ${tagIds}::int[],
        ${some.map(({ position }) => position)}::int[])
      on conflict do nothing`.execute(tx);
    await offerRequested(tx, tagIds);
  }
}
