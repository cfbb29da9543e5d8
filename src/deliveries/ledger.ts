import { setImmediate as nextTurn, setTimeout as pause } from "node:timers/promises";
import type { Clock } from "../base/clock.ts";
import { reasonOf } from "../base/errors.ts";
import type { Log } from "../base/log.ts";
import type { Db, Tx } from "../db/schema.ts";
import { createMutex } from "../db/mutex.ts";
import { claim, settle, suppressReaders, unclaimLost, type ClaimedDelivery, type Outcome } from "./claims.ts";

/** This process's hand on the ledger: claims go in before SMTP, outcomes after. */
export interface Ledger {
  /**
   * Commits the outcomes so far and, with them, new claims of a slice.
   * @param request.count asked at the last moment: how many can be sent at once
   * @returns `asked`: for how many there was room; 0 says nothing about the slice
   */
  claim(request: ClaimRequest): Promise<Claims>;
  /** Notes what became of a claim; it is committed with the next claim, or on its own soon after. */
  record(outcome: Outcome): void;
  /** Resolves when every outcome recorded so far is committed. */
  flush(): Promise<void>;
  /** Commits what is left, trying for up to `limitMs`, and never throws. What then is not written is lost. */
  close(limitMs: number): Promise<void>;
}

interface ClaimRequest {
  editionId: number;
  slice: number;
  count(): number;
}

interface Claims {
  claimed: ClaimedDelivery[];
  skipped: number;
  asked: number;
}

export interface LedgerDeps {
  db: Db;
  clock: Clock;
  log: Log;
  /** This process's row in `senders`. */
  sender: string;
  /** Most claims at a time. */
  connections: number;
  /** Reopens, in the same transaction, finished editions of deliveries that turn out to be deferred. */
  reopen(tx: Tx, deferred: readonly number[], now: Date): Promise<void>;
  /** Remembers, in the same transaction, that an address must never be mailed again. */
  suppress(tx: Tx, gone: { addressKey: string; editionId: number; reply: string; now: Date }): Promise<void>;
  /** Hears, once it is committed, of how many more readers an edition's mails have suppressed. */
  suppressed(editionId: number, more: number): void;
}

/** An outcome waits no longer than this for a claim to travel with. */
const lonelyMs = 50;
const retryMs = 1_000;
/** For so long after a failure, a commit whose answer was lost may still come through. */
const doubtMs = 10_000;
const nothing: Claims = { claimed: [], skipped: 0, asked: 0 };

/**
 * One transaction at a time, and each first settles all that has come back. So at every commit, rows in `sending` are
 * at most the messages the relay holds at that moment, and a killed process leaves no more than its connections behind.
 */
export function createLedger(deps: LedgerDeps): Ledger {
  const mutex = createMutex();
  /** Claims whose outcome is not committed. */
  const held = new Set<number>();
  let waiting: Outcome[] = [];
  let timer: NodeJS.Timeout | null = null;
  let doubtUntil = -Infinity;
  let failing = false;
  let closed = false;

  async function exchange(request: ClaimRequest | null): Promise<Claims> {
    const leave = await mutex.enter();
    // Replies that have already arrived are collected first. The embedded database never yields, so one transaction for
    // each reply would be slow.
    await nextTurn();
    let taken: Outcome[] = [];
    let gone: number[] = [];
    try {
      const claims = await deps.db.transaction().execute(async (tx) => {
        taken = waiting;
        waiting = [];
        // In the same turn: a connection that comes free from here on still has its row in `sending`.
        const settled = new Set(taken.map((outcome) => outcome.id));
        const open = [...held].filter((id) => !settled.has(id)).length;
        const asked = request ? Math.min(request.count(), deps.connections - open) : 0;
        const now = deps.clock.now();
        if (doubtful()) await unclaimLost(tx, deps.sender, [...held]);
        gone = await write(deps, tx, taken, now);
        if (!request || asked < 1) return nothing;
        return { asked, ...(await claim(tx, { ...request, count: asked, now, sender: deps.sender })) };
      });
      for (const { id } of taken) held.delete(id);
      for (const { id } of claims.claimed) held.add(id);
      if (failing) deps.log.info({}, "outcomes are written again");
      failing = false;
      for (const id of new Set(gone)) deps.suppressed(id, gone.filter((one) => one === id).length);
      return claims;
    } catch (error) {
      // Rolled back, most likely; but if only the answer to the commit was lost, settling again changes nothing, and
      // the claims that nobody knows of are freed.
      waiting = [...taken, ...waiting];
      doubtUntil = performance.now() + doubtMs;
      throw error;
    } finally {
      if (waiting.length > 0 || doubtful()) flushIn(retryMs);
      leave();
    }
  }

  const doubtful = (): boolean => performance.now() < doubtUntil;

  function flushIn(ms: number): void {
    if (closed) return;
    timer ??= setTimeout(() => {
      timer = null;
      if (waiting.length === 0 && !doubtful()) return;
      exchange(null).catch((error: unknown) => {
        if (!failing) {
          deps.log.error(
            { outcomes: waiting.length, reason: reasonOf(error) },
            "outcomes could not be written, trying again until they are",
          );
        }
        failing = true;
      });
    }, ms);
  }

  return {
    claim: exchange,
    record(outcome) {
      waiting.push(outcome);
      flushIn(lonelyMs);
    },
    flush: async () => void (await exchange(null)),
    async close(limitMs) {
      closed = true;
      if (timer) clearTimeout(timer);
      const end = performance.now() + limitMs;
      for (;;) {
        try {
          await exchange(null);
          return;
        } catch (error) {
          if (performance.now() < end) await pause(retryMs / 4);
          else
            return deps.log.error(
              { outcomes: waiting.length, reason: reasonOf(error) },
              "outcomes could not be written",
            );
        }
      }
    },
  };
}

/** @returns the edition of each reader who was suppressed */
async function write(deps: LedgerDeps, tx: Tx, outcomes: readonly Outcome[], now: Date): Promise<number[]> {
  await settle(tx, deps.sender, outcomes, now);
  const deferred = outcomes.filter((outcome) => outcome.state === "deferred").map((outcome) => outcome.id);
  await deps.reopen(tx, deferred, now);
  const gone: number[] = [];
  for (const { id, reply } of outcomes.filter((outcome) => outcome.suppress === true)) {
    for (const reader of await suppressReaders(tx, [id], now)) {
      await deps.suppress(tx, { ...reader, reply, now });
      gone.push(reader.editionId);
    }
  }
  return gone;
}
