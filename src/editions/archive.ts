import { sql } from "kysely";
import { searchKey } from "../articles/tags.ts";
import type { Db } from "../db/schema.ts";
import type { EditionName } from "../render/types.ts";
import { type Edition, publishedBefore } from "./store.ts";

/** A page of past editions. */
export interface ArchivePage {
  /** Newest first; of a search, only those with a match. */
  editions: (Edition & { matches: string[] })[];
  /** The last edition that was looked at, if there are older ones. */
  more: EditionName | null;
}

/** Editions of a page, and editions that one search looks at, so that neither grows with the archive. */
const pageSize = 100;
const searchSize = 200;
const mostMatches = 3;

/**
 * Editions that were sent, newest first, from the one before `before` on.
 * @param request.query only editions with an article whose headline or tag contains it, and up to three of their headlines
 */
export async function archivePage(
  db: Db,
  { before, query }: { before: EditionName | null; query: string },
): Promise<ArchivePage> {
  const size = query === "" ? pageSize : searchSize;
  const found = await publishedBefore(db, before, size + 1);
  const looked = found.slice(0, size);
  const last = looked.at(-1);
  const more = found.length > size && last ? { date: last.date, number: last.number } : null;
  if (query === "") return { editions: looked.map((edition) => ({ ...edition, matches: [] })), more };
  const matches = await findMatches(db, looked, searchKey(query));
  return {
    editions: looked.flatMap((edition) => {
      const titles = matches.get(edition.id);
      return titles ? [{ ...edition, matches: titles }] : [];
    }),
    more,
  };
}

/** In code, because how the database folds letters depends on its locale. */
async function findMatches(db: Db, editions: readonly Edition[], wanted: string): Promise<Map<number, string[]>> {
  const ids = editions.map(({ id }) => id);
  const { rows } = await sql<{ id: number; title: string; tags: string[] }>`
    select edition_id as id, snapshot->>'title' as title, snapshot->'tags' as tags from edition_articles
    where edition_id = any(${ids}::bigint[]) order by edition_id, position`.execute(db);
  const matches = new Map<number, string[]>();
  for (const { id, title, tags } of rows) {
    if (![title, ...tags].some((text) => searchKey(text).includes(wanted))) continue;
    const titles = matches.get(id) ?? [];
    if (titles.length < mostMatches) matches.set(id, [...titles, title]);
  }
  return matches;
}
