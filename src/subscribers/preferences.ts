import { dropUnfollowed, requestTags } from "../articles/tag-store.ts";
import type { Clock } from "../base/clock.ts";
import { Refusal } from "../base/errors.ts";
import type { Db, Tx } from "../db/schema.ts";
import { parseTimezone } from "../base/schedule-values.ts";
import { sql } from "kysely";
import { noteOwnAct } from "./questions.ts";

const longestPauseMs = 366 * 24 * 3_600_000;

/** Who changes something about a reader. */
type By = "reader" | "operator";

/**
 * Pauses a reader: editions frozen before `until` leave them out. null ends the pause, also that of an unanswered question.
 * @throws Refusal 422 for a time in the past or more than a year away, 404 when there is no such reader
 */
export async function pauseReader(
  deps: { db: Db | Tx; clock: Clock },
  { id, until, by }: { id: number; until: Date | null; by: By },
): Promise<void> {
  const now = deps.clock.now().getTime();
  const at = until?.getTime();
  if (at !== undefined && !(at > now && at <= now + longestPauseMs)) {
    throw new Refusal(422, "pause_invalid");
  }
  await change(deps, { id, by }, { paused_until: until, paused_since: null, paused_for: null });
}

/**
 * Sets a reader's delivery time zone; null is the publication's.
 * @throws Refusal 422 for a wrong zone, 404 when there is no such reader
 */
export async function setReaderTimezone(
  deps: { db: Db | Tx; clock: Clock },
  { id, timezone, by }: { id: number; timezone: string | null; by: By },
): Promise<void> {
  const zone = timezone === null || timezone === "" ? null : parseTimezone(timezone);
  await change(deps, { id, by }, { timezone: zone });
}

async function change(
  { db, clock }: { db: Db | Tx; clock: Clock },
  { id, by }: { id: number; by: By },
  values: { paused_until: Date | null; paused_since: null; paused_for: null } | { timezone: string | null },
): Promise<void> {
  const result = await db.updateTable("subscribers").set(values).where("id", "=", id).executeTakeFirst();
  if (result.numUpdatedRows === 0n) throw noSuchReader(id);
  if (by === "reader") await noteOwnAct(db, id, clock.now());
}

export function noSuchReader(id: number): Refusal {
  return new Refusal(404, "subscriber_not_found", { id });
}

/** Adds tags to readers. @returns how many were new */
export async function addSubscriberTags(
  tx: Tx,
  rows: readonly { id: number; tagIds: readonly number[] }[],
): Promise<number> {
  const pairs = rows.flatMap(({ id, tagIds }) => tagIds.map((tagId) => ({ id, tagId })));
  if (pairs.length === 0) return 0;
  const { numAffectedRows } = await sql`
    insert into subscriber_tags (subscriber_id, tag_id)
    select given.* from unnest(
      ${pairs.map((pair) => pair.id)}::bigint[], ${pairs.map((pair) => pair.tagId)}::int[]
    ) as given(subscriber_id, tag_id)
    -- A tag may have been merged since it was chosen.
    where exists (select 1 from tags where tags.id = given.tag_id)
    on conflict do nothing`.execute(tx);
  return Number(numAffectedRows ?? 0n);
}

/**
 * Replaces the reader's tags but keeps hidden ones that they follow, because the list they chose from does not offer
 * those.
 * @throws Refusal 422 when readers follow too many tags that no article has had yet
 */
export async function setTags(
  { db, clock }: { db: Db; clock: Clock },
  id: number,
  { allTags, tagIds, newTags }: { allTags: boolean; tagIds: readonly number[]; newTags: readonly string[] },
): Promise<void> {
  await db.transaction().execute(async (tx) => {
    const { rows } = await sql<{ id: number; hidden: boolean }>`
      select t.id, t.hidden_at is not null as hidden from subscriber_tags st join tags t on t.id = st.tag_id
      where st.subscriber_id = ${id}`.execute(tx);
    const requested = await requestTags(tx, clock.now(), newTags);
    const left = newTags.filter((name) => !requested.has(name));
    if (left.length > 0) throw new Refusal(422, "new_tags_full", { tags: left.join(", "), unknown: left });
    const hidden = rows.filter((row) => row.hidden).map((row) => row.id);
    await replaceTags(tx, id, { allTags, tagIds: [...tagIds, ...requested.values(), ...hidden] });
    await dropUnfollowed(tx, { ids: rows.map((row) => row.id) });
    await noteOwnAct(tx, id, clock.now());
  });
}

/** Replaces the reader's tags. */
export async function replaceTags(
  tx: Tx,
  id: number,
  choice: { allTags: boolean; tagIds: readonly number[] },
): Promise<void> {
  await tx.updateTable("subscribers").set({ all_tags: choice.allTags }).where("id", "=", id).execute();
  await tx.deleteFrom("subscriber_tags").where("subscriber_id", "=", id).execute();
  await addSubscriberTags(tx, [{ id, tagIds: choice.tagIds }]);
}
