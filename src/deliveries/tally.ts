import type { Db } from "../db/schema.ts";
import type { DeliveryState } from "../editions/state.ts";
import type { Edition } from "../editions/store.ts";

/** Deliveries of an edition by state; states without any are left out. */
export type Tally = Partial<Record<DeliveryState, number>>;

const mostKept = 400;

/**
 * Counts the deliveries of many editions. What is over changes only when an operator reopens it, so its tally is kept: a
 * quarter's editions are counted once in a process's life.
 */
export function createTallies(db: Db): (editions: readonly Edition[]) => Promise<Map<number, Tally>> {
  const kept = new Map<string, Tally>();
  return async (editions) => {
    const keyOf = (edition: Edition): string | null =>
      edition.closed_at === null ? null : `${edition.id} ${edition.state} ${edition.closed_at.toISOString()}`;
    const unknown = editions.filter((edition) => !kept.has(keyOf(edition) ?? ""));
    const counted = await count(
      db,
      unknown.map(({ id }) => id),
    );
    const tallies = new Map<number, Tally>();
    for (const edition of editions) {
      const key = keyOf(edition);
      const tally = (key === null ? undefined : kept.get(key)) ?? counted.get(edition.id) ?? {};
      tallies.set(edition.id, tally);
      if (key !== null) kept.set(key, tally);
    }
    for (const oldest of [...kept.keys()].slice(0, -mostKept)) kept.delete(oldest);
    return tallies;
  };
}

async function count(db: Db, ids: readonly number[]): Promise<Map<number, Tally>> {
  const tallies = new Map<number, Tally>();
  if (ids.length === 0) return tallies;
  const rows = await db
    .selectFrom("deliveries")
    .select(["edition_id", "state", (eb) => eb.fn.countAll<number>().as("count")])
    .where("edition_id", "in", ids)
    .groupBy(["edition_id", "state"])
    .execute();
  for (const row of rows) tallies.set(row.edition_id, { ...tallies.get(row.edition_id), [row.state]: row.count });
  return tallies;
}
