import type { Selectable } from "kysely";
import { sql } from "kysely";
import type { Clock } from "../base/clock.ts";
import type { Db, Schema, Tx } from "../db/schema.ts";
import type { FeedItem } from "../sources/parse-item.ts";
import { canonicalKey } from "./normalise.ts";
import { lockArticles } from "./store.ts";
import { addTags, resolveTags } from "./tag-store.ts";
import { cleanTags, tagKey } from "./tags.ts";

export interface ItemOutcome {
  url: string;
  outcome: "added" | "updated" | "unchanged" | "refused";
  /** The article's id, unless it was refused. */
  id: number | null;
  /** Why it was refused, or why it will never be mailed. */
  reason: string | null;
}

export interface IngestSource {
  id: number;
  extra_tags: string[];
  renamed_tags: Record<string, string | undefined>;
  /** When it was last read with success; null for a new source, and for the API. */
  succeeded_at: Date | null;
}

type Article = Selectable<Schema["articles"]>;

/** Published so long before its source was last read, or before now for a new source: stored and never mailed. */
const backlogMs = 48 * 3_600_000;

/**
 * Takes articles in, through whatever door they came. The same article by guid or by canonical URL is one article: its
 * tags are united, and its first source may still edit it until an edition has frozen it. All of `items` in one
 * transaction, one answer each, in order.
 */
export async function ingest(
  deps: { db: Db; clock: Clock },
  source: IngestSource,
  items: readonly FeedItem[],
): Promise<ItemOutcome[]> {
  if (items.length === 0) return [];
  return deps.db.transaction().execute(async (tx) => {
    // Two sources may bring the same new article at the same moment.
    await lockArticles(tx);
    const known = await loadKnown(tx, source, items);
    const outcomes: ItemOutcome[] = [];
    for (const item of items) outcomes.push(await takeOne(tx, deps.clock.now(), source, item, known));
    return outcomes;
  });
}

interface Known {
  byUrl: Map<string, Article>;
  byGuid: Map<string, Article>;
  /** Touched by this very document: a second item for the same article only adds tags. */
  seen: Set<number>;
}

async function loadKnown(tx: Tx, source: IngestSource, items: readonly FeedItem[]): Promise<Known> {
  const keys = items.map((item) => canonicalKey(item.url));
  const guids = items.flatMap((item) => item.guid ?? []);
  const byUrl = await tx
    .selectFrom("articles")
    .selectAll()
    .where("url_key", "=", sql<string>`any(${keys})`)
    .execute();
  const byGuid = await tx
    .selectFrom("article_guids")
    .innerJoin("articles", "articles.id", "article_guids.article_id")
    .selectAll("articles")
    .select("article_guids.guid as guid")
    .where("article_guids.source_id", "=", source.id)
    .where("article_guids.guid", "=", sql<string>`any(${guids})`)
    .execute();
  return {
    byUrl: new Map(byUrl.map((article) => [article.url_key, article])),
    byGuid: new Map(byGuid.map((article) => [article.guid, article])),
    seen: new Set(),
  };
}

async function takeOne(tx: Tx, now: Date, source: IngestSource, item: FeedItem, known: Known): Promise<ItemOutcome> {
  if (item.title.trim() === "") {
    return { url: item.url, outcome: "refused", id: null, reason: `The article ${item.url} has no title.` };
  }
  const key = canonicalKey(item.url);
  const present =
    known.byUrl.get(key) ?? sameArticle(item.guid === null ? undefined : known.byGuid.get(item.guid), item);
  const article = present ?? (await insert(tx, now, source, item, key));
  known.byUrl.set(key, article);
  if (item.guid !== null && known.byGuid.get(item.guid)?.id !== article.id) {
    await rememberGuid(tx, source.id, item.guid, article.id);
    known.byGuid.set(item.guid, article);
  }
  const again = known.seen.has(article.id);
  known.seen.add(article.id);
  const frozen = article.edition_id !== null;
  const edited =
    present !== undefined && !frozen && !again && article.source_id === source.id
      ? await edit(tx, now, article, item, key)
      : false;
  const tagged = frozen ? 0 : await addTags(tx, article.id, await tagIdsOf(tx, now, source, item));
  const outcome = present === undefined ? "added" : edited || tagged > 0 ? "updated" : "unchanged";
  const reason =
    present === undefined && article.backlog
      ? "It was published more than 48 hours before it was seen: it is kept, and will not be mailed."
      : null;
  return { url: item.url, outcome, id: article.id, reason };
}

/** A guid that comes back with another link and another headline is another article: some systems reuse guids. */
function sameArticle(article: Article | undefined, item: FeedItem): Article | undefined {
  if (!article) return undefined;
  return article.url === item.url || article.title === item.title ? article : undefined;
}

/** Each once, although two names may be one tag by an alias. */
async function tagIdsOf(tx: Tx, now: Date, source: IngestSource, item: FeedItem): Promise<number[]> {
  const renames = new Map(Object.entries(source.renamed_tags));
  const renamed = cleanTags(item.tags).map((name) => renames.get(tagKey(name)) ?? name);
  const ids = await resolveTags(tx, now, cleanTags([...renamed, ...source.extra_tags]));
  return [...new Set(ids.values())];
}

async function insert(tx: Tx, now: Date, source: IngestSource, item: FeedItem, key: string): Promise<Article> {
  return tx
    .insertInto("articles")
    .values({
      ...columnsOf(item, now),
      source_id: source.id,
      url_key: key,
      first_seen_at: now,
      changed_at: now,
      backlog: isBacklog(item, source.succeeded_at ?? now),
    })
    .returningAll()
    .executeTakeFirstOrThrow();
}

/** What came while we were away is late, not backlog: it is measured from when the source was last read. */
function isBacklog({ publishedAt }: FeedItem, lastRead: Date): boolean {
  return publishedAt !== null && publishedAt.getTime() < lastRead.getTime() - backlogMs;
}

async function edit(tx: Tx, now: Date, article: Article, item: FeedItem, key: string): Promise<boolean> {
  const columns = columnsOf(item, article.first_seen_at);
  const changed = (Object.keys(columns) as (keyof typeof columns)[]).some(
    (column) => String(columns[column]?.valueOf() ?? null) !== String(article[column]?.valueOf() ?? null),
  );
  if (!changed) return false;
  const result = await tx
    .updateTable("articles")
    .set({ ...columns, url_key: key, changed_at: now })
    .where("id", "=", article.id)
    .where("edition_id", "is", null)
    .executeTakeFirst();
  Object.assign(article, columns, { url_key: key });
  return result.numUpdatedRows === 1n;
}

/** @param seen when the article was first seen; it becomes eligible then, or at its date if that is later */
function columnsOf(item: FeedItem, seen: Date) {
  return {
    url: item.url,
    title: item.title,
    summary: item.summary,
    origin_name: item.origin?.name ?? null,
    origin_url: item.origin?.url ?? null,
    published_at: item.publishedAt,
    eligible_at: item.publishedAt !== null && item.publishedAt > seen ? item.publishedAt : seen,
  };
}

async function rememberGuid(tx: Tx, sourceId: number, guid: string, articleId: number): Promise<void> {
  await tx
    .insertInto("article_guids")
    .values({ source_id: sourceId, guid, article_id: articleId })
    .onConflict((conflict) => conflict.columns(["source_id", "guid"]).doUpdateSet({ article_id: articleId }))
    .execute();
}
