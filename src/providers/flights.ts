import { remember } from "../base/remember.ts";
import { ticks } from "../mail/rate-limiter.ts";
import type { Receiver } from "./in-a-row.ts";
import { afterAnswer, firstPace, isSlow, roomOf, type Pace } from "./pace.ts";

/** A message between its claim and its outcome. `unit`: whose turns it takes, the provider or, while limited, the domain. */
export interface Flight extends Receiver {
  id: number;
  unit: string;
}

/** The messages of this worker that are on their way to each receiver, and how fast the receivers answer. */
export interface Flights {
  begin(flight: Pick<Flight, "id" | "unit">): void;
  /** A message is handed over. */
  start(id: number): void;
  /** A message has its outcome, or was not sent after all. @returns when it was handed over; now if it was not */
  end(id: number): number;
  /** @param answer.ms since the message was handed over */
  answered(unit: string, answer: { ms: number; accepted: boolean }): void;
  /** Receivers with messages on their way, and those that answered last. */
  units(): string[];
  /** How many more messages a receiver may get now. @param limits.width of all workers together */
  room(unit: string, limits: { width: number; workers: number }): number;
  /** Most messages of a receiver that nothing is known of. */
  firstRoom(): number;
  /** Whether the outcome of a message will come soon. */
  isPrompt(flight: Pick<Flight, "id" | "unit">): boolean;
}

/** Receivers whose pace is remembered, and how many of them a claim limits by name. */
const mostPaces = 500;
const mostNamed = 100;
/** A message that takes longer is not waited for. */
const promptMs = 1_000;

/** @param share how many connections this worker may use at present */
export function createFlights(share: () => number): Flights {
  /** For each receiver, when each of its messages was handed over; null while it waits for a connection. */
  const startedAt = new Map<string, Map<number, number | null>>();
  const unitOf = new Map<number, string>();
  const paces = new Map<string, Pace>();
  /** The two fastest receivers; null after an answer. */
  let fastest: { unit: string; ms: number }[] | null = null;

  const paceOf = (unit: string): Pace => paces.get(unit) ?? firstPace(share());

  function findFastest(): { unit: string; ms: number }[] {
    return [...paces]
      .flatMap(([unit, { typicalMs }]) => (typicalMs === null ? [] : [{ unit, ms: typicalMs }]))
      .toSorted((one, other) => one.ms - other.ms)
      .slice(0, 2);
  }

  function slow(unit: string): boolean {
    fastest ??= findFastest();
    const now = ticks();
    let oldest = now;
    for (const since of startedAt.get(unit)?.values() ?? []) oldest = Math.min(oldest, since ?? now);
    return isSlow(paceOf(unit), now - oldest, fastest.find((one) => one.unit !== unit)?.ms ?? null);
  }

  function end(id: number): number {
    const unit = unitOf.get(id) ?? "";
    const flights = startedAt.get(unit);
    const since = flights?.get(id) ?? ticks();
    unitOf.delete(id);
    flights?.delete(id);
    if (flights?.size === 0) startedAt.delete(unit);
    return since;
  }

  return {
    begin({ id, unit }) {
      end(id);
      unitOf.set(id, unit);
      const flights = startedAt.get(unit) ?? new Map<number, number | null>();
      startedAt.set(unit, flights.set(id, null));
    },
    start(id) {
      startedAt.get(unitOf.get(id) ?? "")?.set(id, ticks());
    },
    end,
    answered(unit, answer) {
      remember(paces, unit, afterAnswer(paceOf(unit), answer, share()), mostPaces);
      fastest = null;
    },
    units: () => [...startedAt.keys(), ...[...paces.keys()].slice(-mostNamed)],
    room: (unit, { width, workers }) =>
      roomOf({
        pace: paceOf(unit),
        slow: slow(unit),
        inFlight: startedAt.get(unit)?.size ?? 0,
        width,
        workers,
        connections: share(),
      }),
    firstRoom: () => firstPace(share()).window,
    isPrompt({ id, unit }) {
      const since = startedAt.get(unit)?.get(id) ?? null;
      return (since === null || ticks() - since < promptMs) && !slow(unit);
    },
  };
}
