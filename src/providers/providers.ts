import { setTimeout as wait } from "node:timers/promises";
import { domainOf, withoutAddress } from "../base/address.ts";
import type { Clock } from "../base/clock.ts";
import { reasonOf } from "../base/errors.ts";
import type { Log } from "../base/log.ts";
import { isRelayFailure, type Verdict } from "../mail/verdict.ts";
import { ticks } from "../mail/rate-limiter.ts";
import type { Db } from "../db/schema.ts";
import type { Wake } from "../queue/contract.ts";
import { createReplyCounts } from "./count-replies.ts";
import { createFlights, type Flight } from "./flights.ts";
import { createInARow } from "./in-a-row.ts";
import { openSharedStates } from "./shared-states.ts";
import { addCounts, providersOfDomains } from "./store.ts";

/** What a claim may take now. */
export interface Rooms {
  /** Providers and domains that get nothing. */
  closed: string[];
  /** Domains that take turns of their own, although they belong to a provider. */
  apart: string[];
  /** Units with their own number of messages, at least one. */
  units: string[];
  rooms: number[];
  /** Most messages of any other unit. */
  others: number;
}

interface Slice {
  editionId: number;
  slice: number;
}

/** What this worker knows of receiving providers, and what it shares with the others. */
export interface Providers {
  /** Reads what other workers have written, at most once a second. Call it before a claim, outside a transaction. */
  refresh(): Promise<void>;
  rooms(): Rooms;
  /** A message was claimed. It counts from now on, although it may wait for a connection. */
  begin(flight: Flight): void;
  /** Whether a claimed message may still be sent. */
  mayBeSent(flight: Flight): boolean;
  /** A message is handed over. */
  start(id: number): void;
  onVerdict(flight: Flight, verdict: Verdict, slice: Slice): void;
  /** A message was not sent after all. */
  drop(id: number): void;
  /** Notices never wait for a provider, but what becomes of them counts. */
  onNoticeVerdict(address: string, verdict: Verdict): void;
  /** Whether the outcome of a message is worth waiting for, because it will come soon. */
  isPrompt(flight: Flight): boolean;
  /** Remembers a slice whose remaining messages wait for room, and queues it when there is. */
  park(slice: Slice, units: readonly string[]): Promise<void>;
  /** Resolves when all changes so far are written. */
  settled(): Promise<void>;
  /** Writes the last changes and counts, within `limitMs`. */
  close(limitMs: number): Promise<void>;
}

export interface ProvidersDeps {
  db: Db;
  clock: Clock;
  log: Log;
  wake: Wake;
  /** Of all workers together. */
  connections: number;
  /** How many of them this worker may use at present. */
  share(): number;
  /** How many workers send. */
  workers(): Promise<number>;
  /** Called when a provider has refused several in a row, after it was stored. */
  blocked(name: string): void;
}

const lookMs = 1_000;
/** The wake-up after a pause comes when the deferred messages are due too. */
const wakeMarginMs = 1_000;

export function createProviders(deps: ProvidersDeps): Providers {
  const { db, clock, log, wake, share } = deps;
  const states = openSharedStates(deps);
  const flights = createFlights(share);
  const counts = createReplyCounts((taken) => states.later("counts", () => addCounts(db, taken, clock.now())));
  const inARow = createInARow();
  /** Slices by the unit that they wait for. */
  const parked = new Map<string, Map<string, Slice>>();
  let lookTimer: NodeJS.Timeout | null = null;
  let closed = false;

  const roomFor = (unit: string): number =>
    flights.room(unit, { width: states.width(unit), workers: states.workers() });

  function pause(name: string, event: "slowed" | "refused", about: { verdict: Verdict; since: number; slice?: Slice }) {
    const { since, slice } = about;
    const reply = about.verdict.reply === null ? null : withoutAddress(about.verdict.reply);
    states.pause(name, event, { reply, since }, async ({ until }) => {
      if (event === "refused") deps.blocked(name);
      if (slice) await wakeAt(until, slice.editionId);
    });
  }

  async function wakeAt(until: Date | null, editionId: number): Promise<void> {
    if (until === null) return;
    await wake("queue-slices", { editionId }, { at: new Date(until.getTime() + wakeMarginMs), now: clock.now() });
  }

  /** Queues parked slices of a unit, as many as there is room for. */
  async function unpark(unit: string): Promise<void> {
    const slices = parked.get(unit);
    if (!slices) return;
    const woken = [...slices].slice(0, Math.min(roomFor(unit), share()));
    for (const [key] of woken) slices.delete(key);
    if (slices.size === 0) parked.delete(unit);
    for (const [, slice] of woken) await wake("deliver-slice", slice);
  }

  /** While slices wait, changes by other workers must be noticed although nothing is claimed. */
  function lookForRoom(): void {
    lookTimer ??= setTimeout(() => {
      lookTimer = null;
      if (closed || parked.size === 0) return;
      states
        .refresh()
        .then(async () => {
          for (const unit of parked.keys()) if (roomFor(unit) > 0) await unpark(unit);
        })
        .catch((error: unknown) => log.warn({ reason: reasonOf(error) }, "providers could not be read"))
        .finally(lookForRoom);
    }, lookMs).unref();
  }

  return {
    refresh: states.refresh,
    rooms() {
      const apart = states.names();
      const all = [...new Set([...apart, ...flights.units()])].map((unit) => ({ unit, room: roomFor(unit) }));
      const open = all.filter(({ room }) => room > 0);
      return {
        closed: all.filter(({ room }) => room === 0).map(({ unit }) => unit),
        apart,
        units: open.map(({ unit }) => unit),
        rooms: open.map(({ room }) => room),
        others: flights.firstRoom(),
      };
    },
    begin: flights.begin,
    mayBeSent: ({ domain, provider }) => [domain, provider].every((name) => states.width(name) > 0),
    start: flights.start,
    onVerdict(flight, verdict, slice) {
      const { unit, provider } = flight;
      const since = flights.end(flight.id);
      counts.note(provider, verdict);
      if (!isRelayFailure(verdict)) {
        flights.answered(unit, { ms: ticks() - since, accepted: verdict.kind === "sent" });
      }
      if (verdict.kind === "sent") {
        inARow.accepted(flight);
        for (const name of new Set([flight.domain, provider])) states.accepted(name, () => unpark(name));
      } else if (verdict.kind === "deferred" && verdict.scope === "provider") {
        for (const name of inARow.slowed(flight)) pause(name, "slowed", { verdict, since, slice });
      } else if (verdict.kind === "rejected" && verdict.byProvider) {
        for (const name of inARow.refused(flight, states.isLimited)) pause(name, "refused", { verdict, since, slice });
      }
      if (parked.has(unit)) states.later(unit, () => unpark(unit));
    },
    drop: flights.end,
    onNoticeVerdict(address, verdict) {
      if (verdict.kind !== "deferred" || verdict.scope !== "provider") return;
      const domain = domainOf(address);
      const since = ticks();
      states.later(domain, async () => {
        const provider = (await providersOfDomains(db, [domain])).get(domain)!;
        for (const name of inARow.slowed({ domain, provider })) pause(name, "slowed", { verdict, since });
      });
    },
    isPrompt: flights.isPrompt,
    async park(slice, units) {
      const key = `${slice.editionId} ${slice.slice}`;
      for (const unit of units) {
        const slices = parked.get(unit) ?? new Map<string, Slice>();
        parked.set(unit, slices.set(key, slice));
        const until = states.until(unit);
        if (until && until > clock.now()) await wakeAt(until, slice.editionId);
        if (roomFor(unit) > 0) await unpark(unit);
      }
      lookForRoom();
    },
    settled: states.settled,
    async close(limitMs) {
      closed = true;
      if (lookTimer) clearTimeout(lookTimer);
      counts.close();
      await Promise.race([states.settled(), wait(limitMs, null, { ref: false })]);
    },
  };
}
