import type { Clock } from "../base/clock.ts";
import type { Log } from "../base/log.ts";
import type { Db } from "../db/schema.ts";
import { askLinks, type LinkDeps } from "../sources/ask-links.ts";
import { checkedLinks, keepChecks, type ArticleLink, type CheckedLink } from "./link-store.ts";
import { isAskable, judgeLinks } from "./link-verdict.ts";

export interface CheckDeps {
  db: Db;
  clock: Clock;
  log: Log;
  fetch: LinkDeps;
}

/** More than a mail shows by default, and few enough for the few seconds that an edition waits for them. */
const mostAsked = 40;
/** A page that was there a moment ago is not asked for again, such as when a job runs twice. */
const recentMs = 10 * 60_000;

/**
 * Asks for the pages that an edition's articles lead to, and writes down what came of it. Takes a few seconds at most,
 * however slow they are; must not run inside a transaction.
 * @param links the weightiest first: only the first 40 are asked for
 * @param options.again asks also for those that were there a moment ago
 * @returns what is known by this look, in the order of `links`
 */
export async function checkLinks(
  deps: CheckDeps,
  links: readonly ArticleLink[],
  options: { again: boolean; signal?: AbortSignal | undefined },
): Promise<CheckedLink[]> {
  const { db, clock, log, fetch } = deps;
  const recent = clock.now().getTime() - recentMs;
  const known = options.again ? [] : await checkedLinks(db, links);
  const fine = known.filter(({ verdict, checkedAt }) => verdict === "fine" && checkedAt.getTime() > recent);
  const settled = new Set(fine.map(({ id }) => id));
  const asked = links.slice(0, mostAsked).filter(({ id, url }) => !settled.has(id) && isAskable(url));
  const answers = await askLinks(fetch, [...new Set(asked.map(({ url }) => url))], options.signal);
  const verdicts = judgeLinks(answers);
  const checkedAt = clock.now();
  const checked = asked.flatMap((link) => {
    const verdict = verdicts.get(link.url);
    return verdict ? [{ ...link, ...verdict, checkedAt }] : [];
  });
  await keepChecks(db, checked);
  const broken = checked.filter(({ verdict }) => verdict === "broken").length;
  if (asked.length > 0) log.info({ asked: asked.length, answered: checked.length, broken }, "links checked");
  const found = new Map([...fine, ...checked].map((link) => [link.id, link]));
  return links.flatMap(({ id }) => found.get(id) ?? []);
}
