import { setImmediate as nextTurn, setTimeout as wait } from "node:timers/promises";
import { within } from "../base/async.ts";
import type { Ledger } from "./ledger.ts";

/** What limits how much is sent at once: a mail transport, or a fixed number of calls. */
export interface Permits {
  readonly connections: number;
  /** Waits for 1 to `max` permits; 0 once closed or aborted. */
  reserve(max: number, signal?: AbortSignal): Promise<number>;
  /** Permits that are free now. */
  more(max: number): number;
  release(n: number): void;
}

export interface Work<Request, Claimed extends { id: number | string }, Settled extends { id: number | string }> {
  permits: Permits;
  ledger: Ledger<Request, Claimed, Settled>;
  /** What is due, for the table's claim. */
  request: Request;
  /** Most in flight at once, so that others get the rest of the connections. */
  atOnce?: number;
  /**
   * How long to wait at the end for what is in flight; until all of it is over if left out. The ledger settles the rest
   * later, so a receiver that keeps one message for minutes does not keep the next job waiting.
   */
  lingerMs?: number;
  /** Where receivers take turns, so that one that gets nothing more, or is slow, keeps nobody else waiting. */
  turns?: {
    /** Whether a claim may still be handed over. Its receiver may have paused since. */
    mayBeSent(claimed: Claimed): boolean;
    /** Whether the outcome of a claim may soon make room for what was held back. */
    awaits(claimed: Claimed, heldBack: readonly string[]): boolean;
    /** Whether a claim's outcome is worth waiting for at the end. */
    isSlow(claimed: Claimed): boolean;
  };
  /** Composes and hands over one claim, which uses up or releases its permit. @returns the outcome to record */
  send(claimed: Claimed): Promise<Settled>;
}

/**
 * Sends what is due. While one group of claims is being sent, the next is claimed in a transaction that also settles the
 * outcomes so far, so that connections do not wait for the database. Ends when nothing is due or `signal` aborts. What is
 * in flight is always settled, and claims that were not handed over are given back.
 * @returns how many were handed over
 */
export async function sendDue<
  Request,
  Claimed extends { id: number | string },
  Settled extends { id: number | string },
>(work: Work<Request, Claimed, Settled>, signal: AbortSignal): Promise<number> {
  const { permits, ledger, lingerMs } = work;
  const most = Math.min(work.atOnce ?? Infinity, permits.connections);
  /** How many claims wait for permits: fewer if these come slowly. */
  let size = most;
  const ready = readyClaims(work, () => size);
  const inFlight = new Map<Promise<void>, Claimed>();
  const outcomesOf = (which: (claimed: Claimed) => boolean): Promise<void>[] =>
    [...inFlight].filter(([, claimed]) => which(claimed)).map(([outcome]) => outcome);
  let handed = 0;
  let granted = 0;
  try {
    while (!signal.aborted) {
      if (!(await ready.some())) {
        // What was held back may go when one of these has its outcome.
        const awaited = outcomesOf((one) => work.turns?.awaits(one, ready.heldBack()) === true);
        if (awaited.length === 0) break;
        const answered = awaited.map((outcome) => outcome.then(() => true));
        if (await Promise.race([...answered, wait(lookMs, false, { ref: false })])) ready.again();
        continue;
      }
      const room = work.atOnce === undefined ? most : most - inFlight.size;
      if (room < 1) {
        await Promise.race(inFlight.keys());
        continue;
      }
      const wanted = Math.min(room, ready.count());
      const reserving = permits.reserve(wanted, signal);
      // The relay may be paused for long, or take less than a message a second. Meanwhile nothing is claimed.
      const late = await within(patienceMs, reserving).then(
        () => false,
        () => true,
      );
      if (late) {
        await ready.giveBack().catch((error: unknown) => {
          // Nobody would use or release what is granted later.
          void reserving.then((n) => permits.release(n));
          throw error;
        });
      }
      granted = await reserving;
      if (granted === 0) break;
      // Connections come free together, and a group costs less than one at a time.
      await nextTurn();
      if (signal.aborted) break;
      granted += permits.more((late ? wanted : Math.min(room, ready.count())) - granted);
      size = late ? granted : Math.min(most, 2 * size);
      if (late) await ready.some();
      for (let n = 0; granted > 0; granted -= 1, n += 1) {
        // Replies are read in between, so that the next claims and the next connections do not wait for the whole group.
        if (n > 0 && n % composedAtOnce === 0) await nextTurn();
        if (signal.aborted) break;
        const one = ready.next();
        if (one === undefined) break;
        handed += 1;
        const sending = work
          .send(one)
          .then((outcome) => ledger.record(outcome))
          .finally(() => inFlight.delete(sending));
        inFlight.set(sending, one);
      }
      permits.release(granted);
      granted = 0;
    }
  } finally {
    permits.release(granted);
    await ready.giveBack();
    if (signal.aborted || lingerMs === undefined) await Promise.all(inFlight.keys());
    else {
      const prompt = Promise.all(outcomesOf((one) => work.turns?.isSlow(one) !== true));
      await Promise.race([prompt, wait(lingerMs, null, { ref: false })]);
    }
    await ledger.flush();
  }
  return handed;
}

/** How many messages are composed in one turn of the event loop. */
const composedAtOnce = 12;
/** How often to check whether an outcome is still worth waiting for. */
const lookMs = 250;
/** Claims wait no longer than this for a permit. */
const patienceMs = 1_000;
/** How long to wait for others if the ledger has no room for more claims. */
const fullMs = 5;

/** Claims that are not handed over yet, at most `size`. When half of them are used up, the next are claimed. */
function readyClaims<Request, Claimed extends { id: number | string }, Settled extends { id: number | string }>(
  { ledger, request, turns }: Work<Request, Claimed, Settled>,
  size: () => number,
) {
  const mayBeSent = (one: Claimed): boolean => turns?.mayBeSent(one) !== false;
  let waiting: Claimed[] = [];
  let heldBack: readonly string[] = [];
  let claiming: Promise<void> | null = null;
  let failure: { error: unknown } | null = null;
  let over = false;

  async function claim(): Promise<void> {
    try {
      const count = (): number => size() - waiting.length;
      const { claimed, skipped, asked, heldBack: others = [] } = await ledger.claim({ ...request, count });
      waiting.push(...claimed);
      heldBack = others;
      over = asked > 0 && claimed.length + skipped === 0;
      if (asked < 1) await wait(fullMs);
    } catch (error) {
      failure = { error };
    } finally {
      claiming = null;
    }
  }

  return {
    count: () => waiting.length,
    heldBack: () => heldBack,
    /** The next that may go; undefined if there is none. */
    next(): Claimed | undefined {
      const at = waiting.findIndex(mayBeSent);
      return at === -1 ? undefined : waiting.splice(at, 1)[0];
    },
    /** Claims again, although nothing was left. */
    again(): void {
      over = false;
    },
    /** Whether there is one; waits for it. False when nothing is due. @throws what the claim threw */
    async some(): Promise<boolean> {
      for (;;) {
        if (failure) throw failure.error;
        const stopped = waiting.filter((one) => !mayBeSent(one));
        if (stopped.length > 0) {
          waiting = waiting.filter(mayBeSent);
          await ledger.giveBack(stopped.map(({ id }) => id));
        }
        if (!over && waiting.length * 2 <= size()) claiming ??= claim();
        if (waiting.length > 0) return true;
        if (claiming === null) return false;
        await claiming;
      }
    },
    /** Frees all of them for others. */
    async giveBack(): Promise<void> {
      await claiming;
      const back = waiting;
      waiting = [];
      if (back.length === 0) return;
      over = false;
      await ledger.giveBack(back.map(({ id }) => id));
    },
  };
}

/** Permits for at most `connections` at the same time, without a rate. */
export function fixedPermits(connections: number): Permits {
  let free = connections;
  let waiting: (() => void)[] = [];
  const take = (max: number): number => {
    const n = Math.max(0, Math.min(max, free));
    free -= n;
    return n;
  };
  const wakeAll = (): void => {
    const woken = waiting;
    waiting = [];
    for (const wake of woken) wake();
  };
  return {
    connections,
    async reserve(max, signal) {
      signal?.addEventListener("abort", wakeAll, { once: true });
      while (free === 0 && !signal?.aborted) await new Promise<void>((resolve) => waiting.push(resolve));
      signal?.removeEventListener("abort", wakeAll);
      return signal?.aborted ? 0 : take(max);
    },
    more: take,
    release(n) {
      free += n;
      wakeAll();
    },
  };
}
