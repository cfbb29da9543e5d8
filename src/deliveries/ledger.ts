import { setImmediate as nextTurn } from "node:timers/promises";
import type { Clock } from "../base/clock.ts";
import { reasonOf } from "../base/errors.ts";
import type { Log } from "../base/log.ts";
import type { Db, Tx } from "../db/schema.ts";
import { createTurnstile } from "../db/turnstile.ts";
import { claim, reopenFor, settle, suppressReaders, type ClaimedDelivery, type Outcome } from "./store.ts";

/** This process's hand on the ledger: claims go in before SMTP, outcomes after. */
export interface Ledger {
  /**
   * Commits the outcomes so far and, with them, new claims of a slice.
   * @param request.count asked at the last moment: how many can be sent at once
   */
  claim(request: {
    editionId: number;
    slice: number;
    count(): number;
  }): Promise<{ claimed: ClaimedDelivery[]; skipped: number }>;
  /** Notes what became of a claim; it is committed with the next claim, or on its own soon after. */
  record(outcome: Outcome): void;
  /** Resolves when every outcome recorded so far is committed. */
  flush(): Promise<void>;
}

export interface LedgerDeps {
  db: Db;
  clock: Clock;
  log: Log;
  /** This process's row in `senders`. */
  sender: string;
  /** Remembers, in the same transaction, that an address must never be mailed again. */
  suppress(tx: Tx, addressKey: string, reply: string, now: Date): Promise<void>;
}

/** An outcome waits no longer than this for a claim to travel with. */
const lonelyMs = 50;
const retryMs = 1_000;

/**
 * One transaction at a time, and each first settles all that has come back. So at every commit, rows in `sending` are
 * at most the messages the relay holds at that moment, and a killed process leaves no more than its connections behind.
 */
export function createLedger(deps: LedgerDeps): Ledger {
  const turnstile = createTurnstile();
  let waiting: Outcome[] = [];
  let timer: NodeJS.Timeout | null = null;

  async function exchange<T>(work: (tx: Tx, now: Date) => Promise<T>): Promise<T> {
    const leave = await turnstile.enter();
    // Answers that have arrived already come in first. The embedded database works without ever yielding, and a
    // transaction for each answer by itself would cost it its speed.
    await nextTurn();
    let taken: Outcome[] = [];
    try {
      return await deps.db.transaction().execute(async (tx) => {
        taken = waiting;
        waiting = [];
        const now = deps.clock.now();
        await write(deps, tx, taken, now);
        return await work(tx, now);
      });
    } catch (error) {
      // Rolled back: they are as unwritten as before.
      waiting = [...taken, ...waiting];
      if (waiting.length > 0) flushIn(retryMs);
      throw error;
    } finally {
      leave();
    }
  }

  function flushIn(ms: number): void {
    timer ??= setTimeout(() => {
      timer = null;
      if (waiting.length === 0) return;
      exchange(async () => undefined).catch((error: unknown) => {
        deps.log.error({ outcomes: waiting.length, reason: reasonOf(error) }, "outcomes could not be written, trying again");
      });
    }, ms);
  }

  return {
    claim: ({ editionId, slice, count }) =>
      exchange((tx, now) => claim(tx, { editionId, slice, count: count(), now, sender: deps.sender })),
    record(outcome) {
      waiting.push(outcome);
      flushIn(lonelyMs);
    },
    flush: () => exchange(async () => undefined),
  };
}

async function write(deps: LedgerDeps, tx: Tx, outcomes: readonly Outcome[], now: Date): Promise<void> {
  await settle(tx, deps.sender, outcomes, now);
  await reopenFor(tx, outcomes);
  const gone = outcomes.filter((outcome) => outcome.suppress === true);
  for (const outcome of gone) {
    for (const key of await suppressReaders(tx, [outcome.id], now)) await deps.suppress(tx, key, outcome.reply, now);
  }
}
