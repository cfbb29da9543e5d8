import { isActive, type EditionState } from "../../editions/state.ts";

type Shown = readonly { id: number; state: EditionState }[];

/**
 * The edition states that a page shows, as one string that the event stream compares with the present states.
 * @param about limits it to one edition, and to the time until that edition is closed
 */
export function shownOf(editions: Shown, about?: number): string {
  return editions
    .filter(({ id, state }) => about === undefined || (id === about && isActive(state)))
    .map(({ id, state }) => `${id}.${state}`)
    .join("_");
}

/**
 * The event stream for a page that shows these editions; see `addEvents`.
 * @returns also the id of the listening element, which changes with the states so that htmx closes the old connection
 */
export function streamOf(editions: Shown, about?: number): { id: string; path: string } {
  const shown = shownOf(editions, about);
  const query = new URLSearchParams({ shown });
  if (about !== undefined) query.set("edition", String(about));
  return { id: `stream-${shown}`, path: `/operator/events?${query.toString()}` };
}
