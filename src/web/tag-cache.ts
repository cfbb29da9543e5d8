import { sql } from "kysely";
import type { App } from "../app.ts";
import { hiddenTagKeys, listTags, type TagCount } from "../articles/tag-store.ts";
import { cleanTag, searchKey, tagKey } from "../articles/tags.ts";
import { shared } from "../base/async.ts";
import { loadSchedule } from "../schedule/store.ts";

/**
 * The tags that pages offer, hidden ones left out, and the sites that the articles come from; kept in the process for a
 * minute.
 */
export interface Catalogue {
  /** How many tags there are. */
  size: number;
  /** The tags used most in the last 30 days, most used first. If none was used then, any tags. */
  popular(count: number): readonly TagCount[];
  /** Tags whose name has the words of `query` in it: first those that begin with it, then by use. */
  find(query: string, count: number): TagCount[];
  /** By name, in any case and width, aliases included. */
  get(name: string): TagCount | undefined;
  /** What the names of hidden tags come to (`tagKey`). */
  hidden: ReadonlySet<string>;
  /** Whether an address leads to a site that the publication's articles or feeds come from. */
  isOwnSite(url: string): boolean;
}

const keptMs = 60_000;
const recentDays = 30;
const dayMs = 24 * 3_600_000;

/**
 * The catalogue as of at most a minute ago; a tag that is new or was changed since is there at once. Looking costs one
 * index look-up, and many who look at the same time share it.
 */
export function openCatalogue({ db, clock }: Pick<App, "db" | "clock">): () => Promise<Catalogue> {
  let kept: { catalogue: Catalogue; at: number; revision: number } | null = null;
  return shared(async () => {
    const { rows } = await sql<{ revision: number }>`select coalesce(max(revision), 0) as revision from tags`.execute(
      db,
    );
    const { revision } = rows[0]!;
    const now = clock.now().getTime();
    if (kept && kept.revision === revision && now >= kept.at && now - kept.at < keptMs) return kept.catalogue;
    kept = { catalogue: await load(db, new Date(now - recentDays * dayMs)), at: now, revision };
    return kept.catalogue;
  });
}

async function load(db: App["db"], since: Date): Promise<Catalogue> {
  const [tags, aliases, hidden, hosts] = await Promise.all([
    listTags(db, since),
    db.selectFrom("tag_aliases").select(["key", "tag_id"]).execute(),
    hiddenTagKeys(db),
    ownHosts(db, since),
  ]);
  const byId = new Map(tags.map((tag) => [tag.id, tag]));
  const byName = new Map(tags.map((tag) => [tag.name, tag]));
  const byKey = new Map(tags.map((tag) => [tagKey(tag.name), tag]));
  for (const { key, tag_id } of aliases) {
    const tag = byId.get(tag_id);
    if (tag) byKey.set(key, tag);
  }
  const keyed = tags
    .map((tag) => ({ tag, key: searchKey(tag.name) }))
    .toSorted((a, b) => b.tag.articles - a.tag.articles);
  const used = keyed.filter(({ tag }) => tag.articles > 0);
  const popular = (used.length > 0 ? used : keyed).map(({ tag }) => tag);
  return {
    size: tags.length,
    popular: (count) => popular.slice(0, count),
    find(query, count) {
      const name = cleanTag(query);
      if (name === null) return [];
      const wanted = searchKey(name);
      const found = keyed.filter(({ key }) => key.includes(wanted));
      const first = found.filter(({ key }) => key.startsWith(wanted));
      return [...new Set([...first, ...found])].slice(0, count).map(({ tag }) => tag);
    },
    get: (name) => byName.get(name) ?? byKey.get(tagKey(name)),
    hidden: new Set(hidden),
    isOwnSite: (url) => hosts.has(hostOf(url)),
  };
}

/** The hosts of feeds and of recent articles. */
async function ownHosts(db: App["db"], since: Date): Promise<Set<string>> {
  const { rows } = await sql<{ url: string }>`
    select distinct substring(url from '^[a-z]+://[^/?#]+') as url from (
      select url from sources where url is not null
      union all select url from articles where first_seen_at >= ${since}
    ) known`.execute(db);
  return new Set(rows.map(({ url }) => hostOf(url)).filter((host) => host !== ""));
}

function hostOf(url: string): string {
  return URL.canParse(url) ? new URL(url).hostname.replace(/^www\./, "") : "";
}

/** The schedule as it is; pages that ask at the same time share the answer. */
export type ScheduleNow = () => ReturnType<typeof loadSchedule>;

export function openScheduleNow({ db }: Pick<App, "db">): ScheduleNow {
  return shared(() => loadSchedule(db));
}
