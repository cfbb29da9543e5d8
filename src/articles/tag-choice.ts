import { sql } from "kysely";
import type { Db } from "../db/schema.ts";
import { oneLine } from "../base/text.ts";
import { clip } from "../render/plain.ts";
import { cleanTag, tagKey } from "./tags.ts";

/** Names that were given, sorted into known and unknown tags. */
export interface TagChoice {
  /** In the order given, each once. */
  known: { id: number; name: string }[];
  /** Names of no tag or of a hidden one, cleaned and cut for display. */
  unknown: string[];
  /** Those of them that are hidden. */
  hidden: string[];
  /** Ids of the known tags by name and alias, because an edition may have frozen a tag under either. */
  spellings: ReadonlyMap<string, number>;
}

/** No article has more tags, and no page needs more. */
const mostChosen = 50;
const longestShown = 80;

/** Finds tags by name in any case, and by alias. Only the first 50 names count. */
export async function chooseTags(db: Db, names: readonly string[]): Promise<TagChoice> {
  const given = names
    .slice(0, mostChosen)
    .map((raw) => ({ raw, name: cleanTag(raw) }))
    .filter(({ raw }) => oneLine(raw) !== "");
  const keys = given.map(({ name }) => (name === null ? "" : tagKey(name)));
  const rows = keys.length === 0 ? [] : await lookUp(db, keys);
  const byKey = new Map(rows.map((row) => [row.key, row]));
  const known = new Map<number, string>();
  const unknown = new Set<string>();
  const hidden = new Set<string>();
  for (const [i, { raw, name }] of given.entries()) {
    const row = byKey.get(keys[i]!);
    if (row && !row.hidden) {
      known.set(row.id, row.name);
      continue;
    }
    const shownName = clip(name ?? oneLine(raw), longestShown);
    unknown.add(shownName);
    if (row) hidden.add(shownName);
  }
  const shown = rows.filter((row) => !row.hidden);
  return {
    known: Array.from(known, ([id, name]) => ({ id, name })),
    unknown: [...unknown],
    hidden: [...hidden],
    spellings: new Map(shown.flatMap(({ id, name, aliases }) => [name, ...aliases].map((one) => [one, id]))),
  };
}

interface Found {
  key: string;
  id: number;
  name: string;
  hidden: boolean;
  aliases: string[];
}

async function lookUp(db: Db, keys: readonly string[]): Promise<Found[]> {
  const { rows } = await sql<Found>`
    with asked as (
      select key, id from tags where key = any(${keys})
      union all
      select key, tag_id from tag_aliases where key = any(${keys})
    )
    select asked.key, t.id, t.name, t.hidden_at is not null as hidden, array(select name from tag_aliases where tag_id = t.id) as aliases
    from asked join tags t using (id) where t.requested_at is null`.execute(db);
  return rows;
}
