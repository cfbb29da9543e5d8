import { Mutex } from "async-mutex";
import { setImmediate as nextTurn, setTimeout as pause } from "node:timers/promises";
import type { Clock } from "../base/clock.ts";
import { reasonOf } from "../base/errors.ts";
import type { Log } from "../base/log.ts";
import type { Db, Tx } from "../db/schema.ts";
import type { Claimant } from "./rows.ts";

/** A row that can be claimed. */
interface Row {
  id: number | string;
}

/** The table behind a ledger: what one transaction reads and writes. */
export interface LedgerTable<Request, Claimed extends Row, Settled extends Row> {
  /** Claims up to `count` due rows for `sender`. */
  claim(
    tx: Tx,
    request: Request & { sender: string; count: number; now: Date },
  ): Promise<{ claimed: Claimed[]; skipped: number; heldBack?: readonly string[] }>;
  /**
   * Writes outcomes of rows that `sender` was the last to claim.
   * @returns what to do once they are committed
   */
  settle(tx: Tx, sender: string, outcomes: readonly Settled[], now: Date): Promise<(() => void) | null>;
  /** Frees rows that the sender has claimed and does not know of, given back or claimed by a commit without an answer. */
  unclaim(tx: Tx, claimant: Claimant, now: Date): Promise<void>;
}

/** Writes claims of one table before anything is sent, and outcomes afterwards. */
export interface Ledger<Request, Claimed extends Row, Settled extends Row> {
  /**
   * Commits the outcomes so far and, with them, new claims.
   * @param request.count asked at the last moment: how many can be sent at once
   * @returns `asked`: for how many there was room; 0 says nothing about what is due
   */
  claim(request: Request & { count(): number }): Promise<Claims<Claimed>>;
  /** Notes what became of a claim; it is committed with the next claim, or on its own soon after. */
  record(outcome: Settled): void;
  /** Frees claims that were not handed over, so that others can have them. */
  giveBack(ids: readonly Claimed["id"][]): Promise<void>;
  /** Resolves when every outcome recorded so far is committed. */
  flush(): Promise<void>;
  /** Commits what is left, trying for up to `limitMs`, and never throws. What then is not written is lost. */
  close(limitMs: number): Promise<void>;
}

export interface Claims<Claimed> {
  claimed: Claimed[];
  skipped: number;
  asked: number;
  /** When nothing was claimed: the receivers for whom something is due and who get nothing more now. */
  heldBack?: readonly string[];
}

export interface LedgerDeps<Request, Claimed extends Row, Settled extends Row> {
  db: Db;
  clock: Clock;
  log: Log;
  /** This process's row in `senders`. */
  sender: string;
  /** Most claims whose outcome is not committed: those at the relay, and the next ones. */
  most: number;
  table: LedgerTable<Request, Claimed, Settled>;
}

/** An outcome is written together with the next claim, or alone after this time. */
const lonelyMs = 50;
const retryMs = 1_000;
/** For so long after a failure, a commit whose answer was lost may still come through. */
const doubtMs = 10_000;

/**
 * One transaction at a time, and each first settles all that has come back. So at every commit, rows in `sending` are at
 * most those that the relay holds at that moment and those that are claimed next, and a killed process leaves no more than
 * `most` behind. One process has one ledger for each table, because what it does not know of is freed after a doubtful
 * commit.
 */
export function createLedger<Request, Claimed extends Row, Settled extends Row>(
  deps: LedgerDeps<Request, Claimed, Settled>,
): Ledger<Request, Claimed, Settled> {
  const { table, sender } = deps;
  const nothing = { claimed: [], skipped: 0, asked: 0 };
  const mutex = new Mutex();
  /** Claims whose outcome is not committed. */
  const held = new Set<Claimed["id"]>();
  let waiting: Settled[] = [];
  let timer: NodeJS.Timeout | null = null;
  let doubtUntil = -Infinity;
  /** Whether rows that are no longer `held` are still claimed. */
  let returned = false;
  let failing = false;
  let closed = false;

  const roomFor = (request: { count(): number } | null, open: number): number =>
    request ? Math.min(request.count(), deps.most - open) : 0;

  async function exchange(request: (Request & { count(): number }) | null): Promise<Claims<Claimed>> {
    const leave = await mutex.acquire();
    // Replies that have already arrived are collected first. The embedded database never yields, so one transaction for
    // each reply would be slow.
    await nextTurn();
    let taken: Settled[] = [];
    let committed: (() => void) | null = null;
    let freeing = false;
    try {
      if (!unfinished() && roomFor(request, held.size) < 1) return nothing;
      const claims = await deps.db.transaction().execute(async (tx) => {
        taken = waiting;
        waiting = [];
        // In the same turn: a connection that comes free from here on still has its row in `sending`.
        const settled = new Set<Row["id"]>(taken.map((outcome) => outcome.id));
        const asked = roomFor(request, [...held].filter((id) => !settled.has(id)).length);
        const now = deps.clock.now();
        freeing = returned || doubtful();
        returned = false;
        if (freeing) await table.unclaim(tx, { sender, held: [...held] }, now);
        committed = await table.settle(tx, sender, taken, now);
        if (!request || asked < 1) return nothing;
        return { asked, ...(await table.claim(tx, { ...request, count: asked, now, sender })) };
      });
      for (const { id } of taken) held.delete(id);
      for (const { id } of claims.claimed) held.add(id);
      if (failing) deps.log.info({}, "outcomes are written again");
      failing = false;
      (committed as (() => void) | null)?.();
      return claims;
    } catch (error) {
      // Rolled back, most likely; but if only the answer to the commit was lost, settling again changes nothing, and
      // the claims that nobody knows of are freed.
      waiting = [...taken, ...waiting];
      returned ||= freeing;
      doubtUntil = performance.now() + doubtMs;
      throw error;
    } finally {
      if (unfinished()) flushIn(retryMs);
      leave();
    }
  }

  const doubtful = (): boolean => performance.now() < doubtUntil;
  const unfinished = (): boolean => waiting.length > 0 || returned || doubtful();

  function flushIn(ms: number): void {
    if (closed) return;
    timer ??= setTimeout(() => {
      timer = null;
      if (!unfinished()) return;
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
    async giveBack(ids) {
      for (const id of ids) held.delete(id);
      returned = true;
      await exchange(null);
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
