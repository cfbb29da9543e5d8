import { tagProblems, ingest, type ItemOutcome } from "../articles/ingest.ts";
import { storedReason, Refusal, reasonOf, type Reason } from "../base/errors.ts";
import type { Clock } from "../base/clock.ts";
import { eachLimited } from "../base/async.ts";
import type { Log } from "../base/log.ts";
import type { Trace } from "../base/trace.ts";
import type { Db } from "../db/schema.ts";
import { fetchFeed, type FetchAnswer, type FetchDeps } from "./fetch.ts";
import type { ParsedFeed } from "./parse.ts";
import type { ParseSource } from "./parser-thread.ts";
import { parseRetryAfter } from "./parse-retry-after.ts";
import { feedsToGather, leaseSource, moveSource, recordPoll, type ReadError, type Source } from "./store.ts";

export interface PollDeps {
  db: Db;
  clock: Clock;
  log: Log;
  trace: Trace;
  fetch: FetchDeps;
  parse: ParseSource;
}

export type PollResult =
  | { kind: "unchanged" }
  | { kind: "ingested"; outcomes: ItemOutcome[]; problems: Reason[] }
  | { kind: "failed"; reason: ReadError }
  /** Not due, interrupted, or being polled by another node. */
  | { kind: "left" };

const minuteMs = 60_000;
/** Interval for a healthy feed. It doubles with each failure, up to `longestPauseMs`. */
const pollEveryMs: number = 15 * minuteMs;
const longestPauseMs = 6 * 60 * minuteMs;
const leaseMs = 2 * minuteMs;

interface PollOptions {
  force: boolean;
  signal?: AbortSignal;
}

/** Fetches one feed and ingests its articles. A failure is recorded and not thrown. */
export async function pollSource(deps: PollDeps, id: number, options: PollOptions): Promise<PollResult> {
  return deps.trace("fetch source", { source: id }, async (note) => {
    const result = await poll(deps, id, options);
    note({ result: result.kind, ...(result.kind === "ingested" ? { items: result.outcomes.length } : {}) });
    return result;
  });
}

async function poll(deps: PollDeps, id: number, options: PollOptions): Promise<PollResult> {
  const now = deps.clock.now();
  const until = new Date(now.getTime() + leaseMs);
  const source = await leaseSource(deps.db, id, { now, until, force: options.force });
  if (!source?.url) return { kind: "left" };
  try {
    return await take(deps, source, source.url, options.signal);
  } catch (error) {
    if (options.signal?.aborted) {
      // The service is stopping or the edition stopped waiting. That is not a failure of the feed.
      await recordPoll(deps.db, id, { next_check_at: now });
      return { kind: "left" };
    }
    const waitUntil = waitOf(error, now);
    const reason: ReadError = { ...storedReason(error), ...(waitUntil ? { waitUntil: waitUntil.toISOString() } : {}) };
    const failures = source.failures + 1;
    const pause = Math.min(pollEveryMs * 2 ** (failures - 1), longestPauseMs);
    await recordPoll(deps.db, id, {
      checked_at: now,
      read_error: JSON.stringify(reason),
      failures,
      next_check_at: new Date(Math.max(now.getTime() + pause, waitUntil?.getTime() ?? 0)),
      wait_until: waitUntil,
    });
    deps.log.warn({ source: id, failures, reason: reasonOf(error) }, "could not read source");
    return { kind: "failed", reason };
  }
}

function waitOf(error: unknown, now: Date): Date | null {
  const { retryAfter } = error instanceof Refusal ? error.details : {};
  return typeof retryAfter === "string" ? parseRetryAfter(retryAfter, now) : null;
}

/**
 * Polls all feeds concurrently, except those that asked for a delay with Retry-After. Polls that take longer than
 * `limitMs` are stopped.
 */
export async function pollAll(deps: PollDeps, limitMs: number): Promise<void> {
  const signal = AbortSignal.timeout(limitMs);
  await eachLimited(await feedsToGather(deps.db, deps.clock.now()), 8, async (id) => {
    if (!signal.aborted) await pollSource(deps, id, { force: true, signal });
  });
}

async function take(deps: PollDeps, source: Source, url: string, signal?: AbortSignal): Promise<PollResult> {
  const now = deps.clock.now();
  const answer = await fetchFeed(deps.fetch, {
    url,
    etag: source.etag,
    lastModified: source.last_modified,
    ...(signal ? { signal } : {}),
  });
  const healthy = {
    checked_at: now,
    succeeded_at: now,
    read_error: null,
    failures: 0,
    next_check_at: new Date(now.getTime() + pollEveryMs),
    wait_until: null,
  };
  if (answer.kind === "unchanged") {
    await recordPoll(deps.db, source.id, healthy);
    return { kind: "unchanged" };
  }
  const { timezone, split_tags: splitTags } = source;
  const feed = await deps.parse({ ...documentOf(answer), timezone, splitTags }, signal);
  const outcomes = await ingest(deps, source, feed.items);
  // Stored only after ingesting: if it failed, or left out new tags, the next poll must get the document again.
  const complete = outcomes.every(({ leftOut }) => leftOut.newTags.length === 0);
  await recordPoll(deps.db, source.id, {
    ...healthy,
    title: feed.title ?? source.title,
    problems: JSON.stringify(problemsOf(feed, outcomes)),
    etag: complete ? answer.etag : null,
    last_modified: complete ? answer.lastModified : null,
  });
  if (answer.movedTo) await moveSource(deps.db, source.id, answer.movedTo);
  const reasons = outcomes.flatMap((outcome) => outcome.reason ?? []);
  const problems = [...feed.problems, ...feed.warnings, ...tagProblems(outcomes), ...withOneUndated(reasons)];
  if (problems.length > 0)
    deps.log.warn({ source: source.id, problems: problems.slice(0, 5) }, "some items or tags were left out");
  const fresh = outcomes.filter((outcome) => outcome.outcome !== "unchanged").length;
  deps.log.info({ source: source.id, items: outcomes.length, new: fresh }, "source read");
  return { kind: "ingested", outcomes, problems };
}

/** A feed without dates has one reason for all of its articles. */
function withOneUndated(reasons: readonly Reason[]): Reason[] {
  const others = reasons.filter(({ code }) => code !== "articles_undated");
  const n = reasons.length - others.length;
  return n === 0 ? others : [...others, { code: "articles_undated", details: { n } }];
}

/** What could not be ingested, with the first case as an example. */
function problemsOf(feed: ParsedFeed, outcomes: readonly ItemOutcome[]): Reason[] {
  const refused = outcomes.filter(({ outcome }) => outcome === "refused");
  const [example] = [...feed.problems, ...refused.flatMap(({ reason }) => reason ?? [])];
  const lost = feed.lost + refused.length;
  const all = feed.lost + outcomes.length;
  const items: Reason[] = lost === 0 ? [] : [{ code: "feed_items_unreadable", details: { lost, all } }];
  return [...items, ...(example === undefined ? [] : [example]), ...feed.warnings, ...tagProblems(outcomes)];
}

/** What the parser's thread gets of an answer. */
export function documentOf({ bytes, contentType, url }: Fetched): Pick<Fetched, "bytes" | "contentType" | "url"> {
  return { bytes, contentType, url };
}

type Fetched = Extract<FetchAnswer, { kind: "fetched" }>;
