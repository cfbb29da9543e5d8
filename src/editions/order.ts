import { sql, type RawBuilder } from "kysely";
import type { Draft } from "./draft-store.ts";

/**
 * How the articles of an edition are laid out, for a statement with `articles a`: the one place that says it, so that
 * what an editor sees of the coming edition is what is frozen.
 */
export function layoutOf(draft: Draft): {
  order: RawBuilder<unknown>;
  title: RawBuilder<string>;
  summary: RawBuilder<string>;
  leftOut: RawBuilder<boolean>;
} {
  const words = sql`${JSON.stringify(draft.words)}::jsonb -> a.id::text`;
  return {
    order: sql`array_position(${draft.first}::bigint[], a.id) nulls last, coalesce(a.published_at, a.first_seen_at) desc, a.id desc`,
    title: sql<string>`coalesce(${words} ->> 'title', a.title)`,
    summary: sql<string>`coalesce(${words} ->> 'summary', a.summary)`,
    leftOut: sql<boolean>`(a.id = any(${draft.leftOut}::bigint[]))`,
  };
}
