import { isActive, type EditionState } from "../../editions/state.ts";

type Shown = readonly { id: number; state: EditionState }[];

/**
 * What a page shows of the editions' states, as one word that the stream of events compares with how things are.
 * @param about the one edition that the page is about, of which it matters only until it is over; else all are
 */
export function shownOf(editions: Shown, about?: number): string {
  return editions
    .filter(({ id, state }) => about === undefined || (id === about && isActive(state)))
    .map(({ id, state }) => `${id}.${state}`)
    .join("_");
}

/**
 * Where a page listens that shows these editions; see `addEvents`.
 * @returns the id too of the element that listens: with other states it is another element, and the old line is cut
 */
export function streamOf(editions: Shown, about?: number): { id: string; path: string } {
  const shown = shownOf(editions, about);
  const query = new URLSearchParams({ shown });
  if (about !== undefined) query.set("edition", String(about));
  return { id: `stream-${shown}`, path: `/operator/events?${query.toString()}` };
}
