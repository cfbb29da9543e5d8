import type { LimitStore } from "../../src/mail/fleet.ts";
import { exchange, noLimits, type SharedLimits, type Workers } from "../../src/mail/shared-limits.ts";

/** The shared limits of some workers in this process, with a clock that is not theirs. */
export interface StoreInMemory {
  /** What is stored. */
  limits: SharedLimits;
  /** Milliseconds that the store's clock is ahead. */
  ahead: number;
  /** How long an answer takes. */
  latencyMs: number;
  away: boolean;
  asked: number;
  of(worker: string, workers?: Workers): LimitStore;
}

export const alone: Workers = { others: 0, before: 0, ageMs: 60_000 };

export function storeInMemory(): StoreInMemory {
  const store: StoreInMemory = {
    limits: noLimits,
    ahead: 1_700_000_000_000,
    latencyMs: 2,
    away: false,
    asked: 0,
    of: (worker, workers = alone) => ({
      async exchange(ask) {
        await pause(store.latencyMs / 2);
        if (store.away) throw new Error("The store is away.");
        store.asked += 1;
        const result = exchange(store.limits, worker, ask, { now: performance.now() + store.ahead, workers });
        store.limits = result.limits;
        await pause(store.latencyMs / 2);
        return result.answer;
      },
    }),
  };
  return store;
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => void setTimeout(resolve, ms));
}
