import { performance } from "node:perf_hooks";
import { reasonOf } from "../../base/errors.ts";
import type { Log } from "../../base/log.ts";

export interface Live<T> {
  /** Tells how things are at the next look, and then of changes, until the given function is called. */
  watch(tell: (picture: T) => void): () => void;
  close(): void;
}

/** So that looking takes at most 2.5 % of one connection, however large the edition is. */
const restPerWork = 40;

/** One look serves all watchers of this process; without watchers nobody looks. What is told is whole each time. */
export function openLive<T>(deps: { look(): Promise<T>; log: Log }, everyMs = 1_000): Live<T> {
  const watchers = new Set<(picture: T) => void>();
  /** Who has been told nothing yet. What was known before they came may be older than the page they look at. */
  const waiting = new Set<(picture: T) => void>();
  let last = "";
  let timer: NodeJS.Timeout | null = null;
  let looking = false;

  async function look(): Promise<void> {
    if (looking) return;
    looking = true;
    const started = performance.now();
    const untold = new Set(waiting);
    try {
      const picture = await deps.look();
      const now = JSON.stringify(picture);
      const changed = now !== last;
      last = now;
      for (const tell of watchers) {
        if (!untold.has(tell) && (!changed || waiting.has(tell))) continue;
        waiting.delete(tell);
        tell(picture);
      }
    } catch (error) {
      deps.log.warn({ reason: reasonOf(error) }, "progress could not be read");
    }
    looking = false;
    if (watchers.size === 0) return;
    timer = setTimeout(() => void look(), Math.max(everyMs, (performance.now() - started) * restPerWork));
    timer.unref();
  }

  return {
    watch(tell) {
      watchers.add(tell);
      waiting.add(tell);
      if (watchers.size === 1) {
        if (timer) clearTimeout(timer);
        void look();
      }
      return () => {
        watchers.delete(tell);
        waiting.delete(tell);
        if (watchers.size > 0 || !timer) return;
        clearTimeout(timer);
        timer = null;
      };
    },
    close() {
      watchers.clear();
      waiting.clear();
      if (timer) clearTimeout(timer);
      timer = null;
    },
  };
}
