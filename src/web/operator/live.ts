import { performance } from "node:perf_hooks";
import { reasonOf } from "../../base/errors.ts";
import type { Log } from "../../base/log.ts";

export interface Live<T> {
  /** Reports the state at the next read and then every change, until the returned function is called. */
  watch(tell: (picture: T) => void): () => void;
  close(): void;
}

/** Limits reading to 2.5% of one database connection, however large the edition is. */
const restPerWork = 40;

/** Each read serves all watchers of this process. Without watchers, nothing is read. Every report is complete. */
export function openLive<T>(deps: { look(): Promise<T>; log: Log }, everyMs = 1_000): Live<T> {
  const watchers = new Set<(picture: T) => void>();
  /** Watchers without a report yet. Earlier data may be older than their page. */
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
      deps.log.warn({ reason: reasonOf(error) }, "cannot read the progress of editions");
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
