import { isRelayFailure, type Verdict } from "../mail/verdict.ts";
import type { ProviderCounts } from "./store.ts";

/** Counts the replies of providers, and writes the counts every second. */
export interface ReplyCounts {
  note(provider: string, verdict: Verdict): void;
  /** Counts from now on are left out, and the last ones are written. */
  close(): void;
}

const writeMs = 1_000;
/** Providers that are counted by name. The rest are counted together. */
const mostNamed = 500;
const otherProviders = "other";

const columnOf = { sent: "accepted", deferred: "deferred", rejected: "refused", unknown: null } as const;

/** @param write adds counts to those that are stored; it does not throw */
export function createReplyCounts(write: (counts: ReadonlyMap<string, ProviderCounts>) => void): ReplyCounts {
  let counts = new Map<string, ProviderCounts>();
  let timer: NodeJS.Timeout | null = null;
  let closed = false;

  function flush(): void {
    timer = null;
    const taken = counts;
    counts = new Map();
    if (taken.size > 0) write(taken);
  }

  return {
    note(provider, verdict) {
      const column = columnOf[verdict.kind];
      // Where the relay failed, nothing was asked of the provider.
      if (column === null || isRelayFailure(verdict)) return;
      const name = counts.has(provider) || counts.size < mostNamed ? provider : otherProviders;
      const count = counts.get(name) ?? { accepted: 0, deferred: 0, refused: 0 };
      count[column] += 1;
      counts.set(name, count);
      if (!closed) timer ??= setTimeout(flush, writeMs).unref();
    },
    close() {
      closed = true;
      if (timer) clearTimeout(timer);
      flush();
    },
  };
}
