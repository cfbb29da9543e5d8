import { isDeepStrictEqual } from "node:util";
import { cleanTag, cleanTags, tagKey } from "../articles/tags.ts";
import { echo, Refusal } from "../base/errors.ts";
import type { EditionArticle } from "../render/types.ts";
import { shownUrl } from "./address.ts";
import { fetchFeed } from "./fetch.ts";
import type { FeedItem } from "./parse.ts";
import type { FeedProblem } from "./parse-document.ts";
import { documentOf, type PollDeps, type PollResult, pollSource } from "./poll.ts";
import { writeAudit } from "../audit/audit.ts";
import {
  addFeeds,
  defaultOptions,
  deleteSource,
  getSource,
  optionsOf,
  setSourceOptions,
  type Source,
  type SourceOptions,
} from "./store.ts";
import type { Clock } from "../base/clock.ts";
import type { Db } from "../db/schema.ts";

/** A preview of a feed. Nothing of it is stored. */
export interface FeedPreview {
  title: string | null;
  /** The articles of a first edition. If none is recent enough, the newest ones as an example. */
  articles: EditionArticle[];
  /** Whether `articles` is that example. */
  example: boolean;
  problems: FeedProblem[];
}

/** What a change of a source did. */
export interface SourceChange {
  source: Source;
  changed: boolean;
  poll: PollResult | null;
}

/** Older articles of a new feed are stored but never emailed; see `ingest`. */
const freshMs = 48 * 3_600_000;
const shownExamples = 10;

/**
 * Reads a feed without storing anything.
 * @throws Refusal 422 or 502 when it cannot be read as a feed, 422 when it has no articles
 */
export async function previewFeed(
  deps: Pick<PollDeps, "fetch" | "parse">,
  url: string,
  now: Date,
): Promise<FeedPreview> {
  const answer = await fetchFeed(deps.fetch, { url, etag: null, lastModified: null });
  if (answer.kind !== "fetched") throw new Refusal(502, "source_no_content", { url: shownUrl(url) });
  const document = { ...documentOf(answer), timezone: null };
  const { title, items, problems, warnings } = await deps.parse(document);
  if (items.length === 0) throw new Refusal(422, "feed_without_articles", { url: shownUrl(url) });
  // An article without a readable date is backlog, see `ingest`.
  const timed = items.map((item) => ({ item, at: item.publishedAt?.getTime() ?? 0 }));
  // In the order of an edition: articles of the same time are sorted by ingestion, latest first.
  const newest = timed.toReversed().toSorted((a, b) => b.at - a.at);
  const fresh = newest.filter(({ at }) => at <= now.getTime() && at >= now.getTime() - freshMs);
  const example = fresh.length === 0;
  const shown = (example ? newest.slice(0, shownExamples) : fresh).map(({ item }) => item);
  return { title, articles: shown.map(asArticle), example, problems: [...problems, ...warnings] };
}

function asArticle(item: FeedItem, position: number): EditionArticle {
  const { title, url, summary, origin, publishedAt } = item;
  return {
    position,
    title,
    url,
    summary,
    tags: cleanTags(item.tags),
    origin,
    publishedAt: publishedAt?.toISOString() ?? null,
    picture: item.picture ?? null,
  };
}

/**
 * Adds a feed and ingests its articles. The feed is read once before it is stored, so that a wrong address is refused.
 * @param request.tags added to every article of the source
 * @param request.rename the feed's spelling of a tag, and the name to store instead
 * @throws Refusal 422 or 502 when it cannot be read as a feed, 409 when it is already a source
 */
export async function addSource(
  deps: PollDeps,
  request: { url: string; tags: string[]; rename: Record<string, string>; actor: string } & Partial<SourceOptions>,
): Promise<{ source: Source; poll: PollResult }> {
  const { url, tags, rename, actor, ...given } = request;
  const options: SourceOptions = { ...defaultOptions, ...given };
  const { timezone, splitTags } = options;
  const answer = await fetchFeed(deps.fetch, { url, etag: null, lastModified: null });
  if (answer.kind === "fetched") await deps.parse({ ...documentOf(answer), timezone, splitTags });
  const now = deps.clock.now();
  const feed = { url, extraTags: cleanTags(tags), renamedTags: renames(rename), ...options };
  const [id] = await addFeeds(deps.db, [feed], now);
  const shown = shownUrl(url);
  if (id === undefined) throw new Refusal(409, "source_exists", { url: shown });
  await writeAudit(deps.db, {
    at: now,
    actor,
    action: "source add",
    subject: shown,
    detail: { ...feed, url: shown },
  });
  const poll = await pollSource(deps, id, { force: true });
  return { source: await getSource(deps.db, id), poll };
}

/**
 * Changes how a source is read, and reads it again. Omitted options stay as they are. Articles that no edition has yet get
 * their new dates and tags.
 * @returns `changed`: whether any option has another value now; `poll`: null if the source was not read
 * @throws Refusal 409 for the API, which is not a feed
 */
export async function changeSource(
  deps: PollDeps,
  { source, actor, ...options }: { source: Source; actor: string } & Partial<SourceOptions>,
): Promise<SourceChange> {
  if (source.url === null) throw new Refusal(409, "source_not_a_feed", { id: source.id });
  const before = optionsOf(source);
  const after: SourceOptions = { ...before, ...options };
  if (isDeepStrictEqual(before, after)) return { source, changed: false, poll: null };
  const { id, url } = source;
  await deps.db.transaction().execute(async (tx) => {
    await setSourceOptions(tx, id, after);
    const detail = { before, after };
    await writeAudit(tx, { at: deps.clock.now(), actor, action: "source edit", subject: shownUrl(url), detail });
  });
  const poll = await pollSource(deps, id, { force: true });
  return { source: await getSource(deps.db, id), changed: true, poll };
}

function renames(given: Record<string, string>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(given).map(([from, to]) => {
      const name = cleanTag(to);
      if (name === null) throw new Refusal(422, "source_tag_invalid", { name: echo(to) });
      return [tagKey(from), name];
    }),
  );
}

/** Reads a feed now, at an operator's request. @throws Refusal 409 for the API, which is not a feed */
export async function checkSource(deps: PollDeps, source: Source, actor: string): Promise<PollResult> {
  if (source.url === null) throw new Refusal(409, "source_not_a_feed", { id: source.id });
  const result = await pollSource(deps, source.id, { force: true });
  await writeAudit(deps.db, {
    at: deps.clock.now(),
    actor,
    action: "source check",
    subject: shownUrl(source.url),
    detail: {
      result: result.kind,
      ...(result.kind === "failed"
        ? { reason: "code" in result.reason ? result.reason.code : result.reason.text }
        : {}),
    },
  });
  return result;
}

/**
 * Removes a feed and keeps its articles.
 * @throws Refusal 409 for the API, which is not a feed, 404 when it has already been removed
 */
export async function removeSource(
  { db, clock }: { db: Db; clock: Clock },
  source: Source,
  actor: string,
): Promise<void> {
  const { id, url } = source;
  if (url === null) throw new Refusal(409, "source_not_removable");
  await db.transaction().execute(async (tx) => {
    await deleteSource(tx, id);
    await writeAudit(tx, { at: clock.now(), actor, action: "source remove", subject: shownUrl(url) });
  });
}
