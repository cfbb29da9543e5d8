import { isReservedName } from "../base/address.ts";
import type { Clock } from "../base/clock.ts";
import type { Log } from "../base/log.ts";
import type { Db, Tx } from "../db/schema.ts";
import { requestLinks, type LinkAnswer, type LinkDeps } from "../sources/request-links.ts";
import { sql } from "kysely";

export interface CheckDeps {
  db: Db;
  clock: Clock;
  log: Log;
  fetch: LinkDeps;
}

/** More than a mail shows by default, and few enough for the few seconds that an edition waits for them. */
const mostAsked = 40;
/** A page that was reachable this recently is not requested again, for example when a job runs twice. */
const recentMs = 10 * 60_000;

/**
 * Requests the pages that an edition's articles link to, and stores the results. Takes a few seconds at most. Do not call this
 * inside a transaction.
 * @param links the most important first, because only the first 40 are requested
 * @param options.again also requests pages that were reachable recently
 * @returns the results so far, in the order of `links`
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
  const asked = links.slice(0, mostAsked).filter(({ id, url }) => !settled.has(id) && isCheckable(url));
  const answers = await requestLinks(fetch, [...new Set(asked.map(({ url }) => url))], options.signal);
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

export interface LinkVerdict {
  /** `broken` is certain. `unsure` is shown to people and holds nothing. */
  verdict: "fine" | "broken" | "unsure";
  /** Why it is not fine; null for a page that is there. */
  result: LinkResult | null;
}

/** What is wrong with a link. */
export type LinkResult =
  | { code: "status"; status: number }
  | { code: "no_such_host"; host: string }
  /** `error`: the code of the system, TLS or undici, such as `ECONNREFUSED`. */
  | { code: "unreachable"; error: string }
  | { code: "too_slow" | "private_address" | "bad_redirect" | "unreadable" | "front_page" }
  /** What an older release stored. */
  | { code: "text"; text: string };

/** A site's own, or that of one of its languages. */
const frontPage = /^\/(?:[a-z]{2}(?:[-_][a-z]{2})?\/?)?(?:index\.\w{2,5})?$/i;
const literal = /^\[|^[\d.]+$/;

/** Whether anything is to be learnt by asking for the page. */
export function isCheckable(url: string): boolean {
  if (!URL.canParse(url)) return false;
  const { protocol, hostname } = new URL(url);
  return /^https?:$/.test(protocol) && !isReservedName(hostname);
}

/**
 * What the answers of one look mean for readers. A page is broken when its server says that there is none (RFC 9110
 * §15.5.5, §15.5.11), or its host has no address although names of others are found: when all names fail, it is our
 * name server. A slow, guarded or failing server may serve a reader well a minute later.
 * @param answers by URL
 */
export function judgeLinks(answers: ReadonlyMap<string, LinkAnswer>): Map<string, LinkVerdict> {
  const namesWork = [...answers].some(([url, answer]) => foundName(url, answer));
  return new Map([...answers].map(([url, answer]) => [url, judge(url, answer, namesWork)]));
}

function foundName(url: string, answer: LinkAnswer): boolean {
  if (literal.test(new URL(url).hostname)) return false;
  return answer.kind === "status" || (answer.kind === "no-name" && answer.hops > 0);
}

function judge(url: string, answer: LinkAnswer, namesWork: boolean): LinkVerdict {
  switch (answer.kind) {
    case "status":
      return atFrontPage(url, answer) ?? ofStatus(answer.status);
    case "no-name":
      return { verdict: namesWork ? "broken" : "unsure", result: { code: "no_such_host", host: answer.host } };
    case "late":
      return { verdict: "unsure", result: { code: "too_slow" } };
    case "private-address":
      return { verdict: "unsure", result: { code: "private_address" } };
    case "bad-redirect":
      return { verdict: "unsure", result: { code: "bad_redirect" } };
    case "failed":
      return {
        verdict: "unsure",
        result: answer.error === "" ? { code: "unreadable" } : { code: "unreachable", error: answer.error },
      };
  }
}

/**
 * A page that is gone may say 200 and show the front page instead. Whether it is gone nobody can tell from outside, so a
 * person is to look.
 */
function atFrontPage(url: string, { status, movedTo }: { status: number; movedTo?: string }): LinkVerdict | null {
  if (movedTo === undefined || status >= 400 || isFrontPage(url) || !isFrontPage(movedTo)) return null;
  // An article may have no path of its own but a number, and then it leads to itself.
  if (new URL(movedTo).search !== "") return null;
  return { verdict: "unsure", result: { code: "front_page" } };
}

function isFrontPage(url: string): boolean {
  return frontPage.test(new URL(url).pathname);
}

function ofStatus(status: number): LinkVerdict {
  // 416: an empty page has not even the first byte that was asked for (RFC 9110 §15.5.17).
  if (status < 400 || status === 416) return { verdict: "fine", result: null };
  return { verdict: status === 404 || status === 410 ? "broken" : "unsure", result: { code: "status", status } };
}

/** Where an article of an edition leads, by the address that is mailed. */
export interface ArticleLink {
  id: number;
  title: string;
  url: string;
}

export interface CheckedLink extends ArticleLink, LinkVerdict {
  checkedAt: Date;
}

/** The links of a frozen edition by weight: those at the top of most readers' emails come first. */
export async function editionLinks(db: Db | Tx, editionId: number): Promise<ArticleLink[]> {
  const { rows } = await sql<ArticleLink>`
    select ea.article_id as id, ea.snapshot ->> 'title' as title, ea.snapshot ->> 'url' as url
    from edition_articles ea left join (
      select positions[1] as position, sum(readers) as readers from cohorts where edition_id = ${editionId} group by 1
    ) leads using (position)
    where ea.edition_id = ${editionId}
    order by leads.readers desc nulls last, ea.position`.execute(db);
  return rows;
}

/** What the last look found, in the order of `links`; those that were never asked for at that address are left out. */
export async function checkedLinks(db: Db | Tx, links: readonly ArticleLink[]): Promise<CheckedLink[]> {
  if (links.length === 0) return [];
  const rows = await db
    .selectFrom("link_checks")
    .selectAll()
    .where(
      "article_id",
      "in",
      links.map(({ id }) => id),
    )
    .execute();
  const byArticle = new Map(rows.map((row) => [row.article_id, row]));
  return links.flatMap((link) => {
    const row = byArticle.get(link.id);
    if (row?.url !== link.url) return [];
    return [{ ...link, verdict: row.verdict, result: row.result, checkedAt: row.checked_at }];
  });
}

export function brokenOnly(links: readonly CheckedLink[]): CheckedLink[] {
  return links.filter(({ verdict }) => verdict === "broken");
}

/** An article that was removed while its link was asked for is passed over. */
async function keepChecks(db: Db, checked: readonly CheckedLink[]): Promise<void> {
  if (checked.length === 0) return;
  await sql`
    insert into link_checks (article_id, url, verdict, result, checked_at)
    select c.id, c.url, c.verdict, c.result::jsonb, c.at::timestamptz
    from unnest(
      ${checked.map(({ id }) => id)}::bigint[], ${checked.map(({ url }) => url)}::text[],
      ${checked.map(({ verdict }) => verdict)}::text[],
      ${checked.map(({ result }) => result && JSON.stringify(result))}::text[],
      ${checked.map(({ checkedAt }) => checkedAt.toISOString())}::text[]
    ) as c(id, url, verdict, result, at)
    join articles a on a.id = c.id
    on conflict (article_id) do update
      set url = excluded.url, verdict = excluded.verdict, result = excluded.result, checked_at = excluded.checked_at`.execute(
    db,
  );
}
