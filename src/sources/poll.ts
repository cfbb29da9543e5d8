import type { Clock } from "../base/clock.ts";
import { eachLimited } from "../base/each.ts";
import { Refusal, reasonOf } from "../base/errors.ts";
import type { Log } from "../base/log.ts";
import type { Trace } from "../base/trace.ts";
import { ingest, tagProblems, type ItemOutcome } from "../articles/ingest.ts";
import type { Db } from "../db/schema.ts";
import { fetchFeed, type FetchDeps } from "./fetch.ts";
import { englishWording } from "../wording/catalogue.ts";
import type { ParsedFeed } from "./parse.ts";
import { problemText } from "./parse-document.ts";
import type { ParseFeed } from "./parser.ts";
import { parseRetryAfter } from "./parse-retry-after.ts";
import { feedsToGather, leaseSource, moveSource, recordPoll, type Source } from "./store.ts";

export interface PollDeps {
  db: Db;
  clock: Clock;
  log: Log;
  trace: Trace;
  fetch: FetchDeps;
  parse: ParseFeed;
}

export type PollResult =
  | { kind: "unchanged" }
  | { kind: "ingested"; outcomes: ItemOutcome[]; problems: string[] }
  | { kind: "failed"; reason: string }
  /** Not due, interrupted, or being polled by another node. */
  | { kind: "left" };

const minuteMs = 60_000;
/** Interval for a healthy feed. It doubles with each failure, up to `longestPauseMs`. */
export const pollEveryMs: number = 15 * minuteMs;
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
    const delay = waitUntil && englishWording().say("source.wait_until", { time: waitUntil.toISOString() });
    const reason = [reasonOf(error), ...(delay ? [delay] : [])].join(" ");
    const failures = source.failures + 1;
    const pause = Math.min(pollEveryMs * 2 ** (failures - 1), longestPauseMs);
    await recordPoll(deps.db, id, {
      checked_at: now,
      last_error: reason,
      failures,
      next_check_at: new Date(Math.max(now.getTime() + pause, waitUntil?.getTime() ?? 0)),
      wait_until: waitUntil,
    });
    deps.log.warn({ source: id, failures, reason }, "could not read source");
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
    last_error: null,
    failures: 0,
    next_check_at: new Date(now.getTime() + pollEveryMs),
    wait_until: null,
  };
  if (answer.kind === "unchanged") {
    await recordPoll(deps.db, source.id, healthy);
    return { kind: "unchanged" };
  }
  const feed = await deps.parse(answer, signal);
  const outcomes = await ingest(deps, source, feed.items);
  // Stored only after ingesting: if it failed, or left out new tags, the next poll must get the document again.
  const whole = outcomes.every(({ leftOut }) => leftOut.newTags.length === 0);
  await recordPoll(deps.db, source.id, {
    ...healthy,
    title: feed.title ?? source.title,
    problem: problemOf(feed, outcomes),
    etag: whole ? answer.etag : null,
    last_modified: whole ? answer.lastModified : null,
  });
  if (answer.movedTo) await moveSource(deps.db, source.id, answer.movedTo);
  const problems = [
    ...feed.problems.map(problemText),
    ...tagProblems(outcomes),
    ...outcomes.flatMap((outcome) => outcome.reason ?? []),
  ];
  if (problems.length > 0)
    deps.log.warn({ source: source.id, problems: problems.slice(0, 5) }, "left out some items or tags");
  const fresh = outcomes.filter((outcome) => outcome.outcome !== "unchanged").length;
  deps.log.info({ source: source.id, items: outcomes.length, new: fresh }, "source read");
  return { kind: "ingested", outcomes, problems };
}

/** What could not be ingested, with the first case as an example. */
function problemOf(feed: ParsedFeed, outcomes: readonly ItemOutcome[]): string | null {
  const refused = outcomes.filter(({ outcome }) => outcome === "refused");
  const [example] = [...feed.problems.map(problemText), ...refused.flatMap(({ reason }) => reason ?? [])];
  const lost = feed.lost + refused.length;
  const all = feed.lost + outcomes.length;
  const items = lost === 0 ? [] : [problemText({ code: "feed_items_unreadable", details: { lost, all } })];
  const problems = [...items, ...(example === undefined ? [] : [example]), ...tagProblems(outcomes)];
  return problems.length === 0 ? null : problems.join(" ");
}
