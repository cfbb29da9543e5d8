import type { Clock } from "../base/clock.ts";
import { reasonOf } from "../base/errors.ts";
import type { Log } from "../base/log.ts";
import type { Db } from "../db/schema.ts";
import { ticks } from "../mail/rate-limiter.ts";
import { afterEvent, widthOf, type ProviderEvent } from "./state.ts";
import { limitedProviders, readProvider, writeProvider, type KnownProvider } from "./store.ts";

/** The pauses and limits of providers, which all workers share through the database. */
export interface SharedStates {
  /** Reads what other workers have written, at most once a second. Call it outside a transaction. */
  refresh(): Promise<void>;
  /** Providers and domains that do not accept everything, or whose pause is being written. */
  names(): string[];
  /** Whether it does not accept everything. */
  isLimited(name: string): boolean;
  /** Most messages at a time, of all workers together: 0 while paused, Infinity for no limit. */
  width(name: string): number;
  /** When the pause or block ends; null if there is none. */
  until(name: string): Date | null;
  /** How many workers sent at the last refresh. */
  workers(): number;
  /**
   * Pauses or blocks it from now on, and stores that.
   * @param about.since when the attempt began. One from before the last pause says nothing new.
   * @param stored called with the new state, unless another worker's was newer
   */
  pause(
    name: string,
    event: "slowed" | "refused",
    about: { reply: string | null; since: number },
    stored: (row: KnownProvider) => Promise<void>,
  ): void;
  /** It accepted a message, so that it may have one more at a time. @param stored called if this is a change */
  accepted(name: string, stored: () => Promise<void>): void;
  /** Does something after all changes so far, and without making the sending wait. */
  later(name: string, work: () => Promise<void>): void;
  /** Resolves when all changes so far are written. */
  settled(): Promise<void>;
}

const refreshMs = 1_000;
const mostTries = 5;

interface Known extends KnownProvider {
  /** When this worker learned of the pause. */
  pausedAtTick: number;
}

/** @param deps.connections of all workers together */
export function openSharedStates(deps: {
  db: Db;
  clock: Clock;
  log: Log;
  connections: number;
  workers(): Promise<number>;
}): SharedStates {
  const { db, clock, log } = deps;
  const limited = new Map<string, Known>();
  /** Names whose pause is being written. It holds already, or the next message would go out meanwhile. */
  const pausing = new Map<string, number>();
  let workers = 1;
  let readAt = -Infinity;
  let writing: Promise<unknown> = Promise.resolve();

  /** The width from which on a provider has no limit. Each worker has at least one connection. */
  const full = (): number => Math.max(deps.connections, workers);

  function learn(row: KnownProvider): void {
    const before = limited.get(row.name);
    if (before && before.version > row.version) return;
    if (row.state === "open") return void limited.delete(row.name);
    const waits = row.state === "paused" || row.state === "blocked";
    const news = waits && (before?.state !== row.state || before.until?.getTime() !== row.until?.getTime());
    limited.set(row.name, { ...row, pausedAtTick: news ? ticks() : (before?.pausedAtTick ?? -Infinity) });
  }

  async function read(): Promise<void> {
    const rows = await limitedProviders(db);
    if (rows.length > 0 || limited.size > 0) workers = Math.max(1, await deps.workers());
    const names = new Set(rows.map(({ name }) => name));
    for (const name of limited.keys()) if (!names.has(name)) limited.delete(name);
    rows.forEach(learn);
  }

  /** Applies an event to what is stored, and tries again when another worker was faster. */
  async function change(
    name: string,
    event: ProviderEvent,
    about: { reply: string | null; since: number },
  ): Promise<KnownProvider | null> {
    for (let tries = 0; tries < mostTries; tries += 1) {
      const known = await readProvider(db, name);
      learn(known);
      if (event === "slowed" && about.since < (limited.get(name)?.pausedAtTick ?? -Infinity)) return null;
      const now = clock.now();
      const next = afterEvent(known, event, { now, full: full() });
      if (next === null) return null;
      const row = { ...known, ...next, reply: about.reply ?? known.reply, changedAt: now };
      if (!(await writeProvider(db, row))) continue;
      learn({ ...row, version: known.version + 1 });
      return row;
    }
    return null;
  }

  function later(name: string, work: () => Promise<void>): void {
    writing = writing.then(work).catch((error: unknown) => {
      log.error({ provider: name, reason: reasonOf(error) }, "provider could not be stored");
    });
  }

  return {
    async refresh() {
      // What this worker has learned counts at once.
      await writing;
      if (ticks() - readAt < refreshMs) return;
      readAt = ticks();
      await read();
    },
    names: () => [...new Set([...limited.keys(), ...pausing.keys()])],
    isLimited: (name) => limited.has(name),
    width(name) {
      if (pausing.has(name)) return 0;
      const known = limited.get(name);
      return known ? widthOf(known, clock.now()) : Infinity;
    },
    until: (name) => limited.get(name)?.until ?? null,
    workers: () => workers,
    pause(name, event, about, stored) {
      pausing.set(name, (pausing.get(name) ?? 0) + 1);
      later(name, async () => {
        const row = await change(name, event, about).finally(() => {
          const others = pausing.get(name)! - 1;
          if (others === 0) pausing.delete(name);
          else pausing.set(name, others);
        });
        if (row === null) return;
        log.warn(
          { provider: name, state: row.state, until: row.until, reply: about.reply },
          "provider refuses emails or asked for fewer, sending to it is paused",
        );
        await stored(row);
      });
    },
    accepted(name, stored) {
      const known = limited.get(name);
      if (!known || afterEvent(known, "accepted", { now: clock.now(), full: full() }) === null) return;
      later(name, async () => {
        const row = await change(name, "accepted", { reply: null, since: ticks() });
        if (row?.state === "open") log.info({ provider: name }, "provider accepts everything again");
        await stored();
      });
    },
    later,
    async settled() {
      for (let last: unknown = null; last !== writing;) {
        last = writing;
        await last;
      }
    },
  };
}
