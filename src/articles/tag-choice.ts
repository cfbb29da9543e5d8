import { sql } from "kysely";
import type { Db } from "../db/schema.ts";
import { clip, oneLine } from "../render/plain.ts";
import { cleanTag, tagKey } from "./tags.ts";

/** Tags that somebody named, as the publication knows them. */
export interface TagChoice {
  /** In the order given, each once. */
  known: { id: number; name: string }[];
  /** What was given and is no tag of the publication's, fit to be shown. */
  unknown: string[];
  /** The id of every name under which an edition may have frozen one of the known tags: its own, and its aliases. */
  spellings: ReadonlyMap<string, number>;
}

/** No article has this many tags, and no page needs more. */
const mostChosen = 50;
const longestShown = 80;

/** Looks names up, in whatever case and spelling, aliases followed. Of more than 50 the first 50 count. */
export async function chooseTags(db: Db, names: readonly string[]): Promise<TagChoice> {
  const given = names
    .slice(0, mostChosen)
    .map((raw) => ({ raw, name: cleanTag(raw) }))
    .filter(({ raw }) => raw.trim() !== "");
  const keys = given.map(({ name }) => (name === null ? "" : tagKey(name)));
  const rows = keys.length === 0 ? [] : await lookUp(db, keys);
  const byKey = new Map(rows.map((row) => [row.key, row]));
  const known = new Map<number, string>();
  const unknown = new Set<string>();
  for (const [i, { raw, name }] of given.entries()) {
    const row = byKey.get(keys[i]!);
    if (row) known.set(row.id, row.name);
    else unknown.add(clip(name ?? oneLine(raw), longestShown));
  }
  return {
    known: Array.from(known, ([id, name]) => ({ id, name })),
    unknown: [...unknown],
    spellings: new Map(rows.flatMap(({ id, name, aliases }) => [name, ...aliases].map((one) => [one, id]))),
  };
}

async function lookUp(
  db: Db,
  keys: readonly string[],
): Promise<{ key: string; id: number; name: string; aliases: string[] }[]> {
  const { rows } = await sql<{ key: string; id: number; name: string; aliases: string[] }>`
    with asked as (
      select key, id from tags where key = any(${keys})
      union all
      select key, tag_id from tag_aliases where key = any(${keys})
    )
    select asked.key, t.id, t.name, array(select name from tag_aliases where tag_id = t.id) as aliases
    from asked join tags t using (id)`.execute(db);
  return rows;
}
