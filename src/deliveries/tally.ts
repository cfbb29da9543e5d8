import { remember } from "../base/remember.ts";
import type { Db } from "../db/schema.ts";
import type { Balance } from "../editions/state.ts";
import type { Edition } from "../editions/store.ts";
import { countEditions } from "./store.ts";

const mostKept = 400;

/**
 * Counts the deliveries of many editions. What is over changes only when an operator reopens it, so its tally is kept: a
 * quarter's editions are counted once in a process's life.
 */
export function createTallies(db: Db): (editions: readonly Edition[]) => Promise<Map<number, Balance>> {
  const kept = new Map<string, Balance>();
  return async (editions) => {
    const keyOf = (edition: Edition): string | null =>
      edition.closed_at === null ? null : `${edition.id} ${edition.state} ${edition.closed_at.toISOString()}`;
    const unknown = editions.filter((edition) => !kept.has(keyOf(edition) ?? ""));
    const counted = await countEditions(db, unknown);
    const tallies = new Map<number, Balance>();
    for (const edition of editions) {
      const key = keyOf(edition);
      const tally = (key === null ? undefined : kept.get(key)) ?? counted.get(edition.id)!;
      tallies.set(edition.id, tally);
      if (key !== null) remember(kept, key, tally, mostKept);
    }
    return tallies;
  };
}
