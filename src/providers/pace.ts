/** How one worker divides its share of the connections between receivers. Durations are milliseconds of a monotonic clock. */
export interface Pace {
  /** Most claims of this receiver: its messages at the relay, and those that are claimed next. */
  window: number;
  /** How long recent answers took; null before the first. */
  typicalMs: number | null;
}

const slowMs = 3_000;
/** A receiver is slow only beside others that answer so many times faster: a slow relay slows everybody alike. */
const timesSlower = 4;
/** How much the newest answer counts in `typicalMs`. */
const newest = 0.3;

/** The next messages are claimed while the last ones are being sent. */
const claimedAhead = 2;

/** A receiver begins with a quarter of the connections, and gets one more for each answer. */
export function firstPace(connections: number): Pace {
  return { window: Math.max(1, Math.ceil(connections / 4)), typicalMs: null };
}

/** Most connections for a slow receiver: a tenth. */
export function slowShare(connections: number): number {
  return Math.max(1, Math.floor(connections / 10));
}

/** @param answer.accepted whether the message was: a refusal often comes sooner, and says nothing about the speed */
export function afterAnswer(
  { window, typicalMs }: Pace,
  { ms, accepted }: { ms: number; accepted: boolean },
  connections: number,
): Pace {
  const typical = typicalMs === null ? ms : (1 - newest) * typicalMs + newest * ms;
  return {
    window: Math.min(claimedAhead * connections, window + 1),
    typicalMs: accepted || ms > slowMs ? typical : typicalMs,
  };
}

/**
 * Whether a receiver is slow: an answer takes more than three seconds and far longer than those of the others.
 * @param outMs how long its oldest message has been out; 0 for none
 * @param othersMs what an answer of the others takes; null if there are no others
 */
export function isSlow({ typicalMs }: Pace, outMs: number, othersMs: number | null): boolean {
  const ms = Math.max(typicalMs ?? 0, outMs);
  return ms > slowMs && othersMs !== null && othersMs * timesSlower < ms;
}

/** How many more messages a receiver may get now. @param receiver.width of all workers together, shared evenly */
export function roomOf(receiver: {
  pace: Pace;
  slow: boolean;
  inFlight: number;
  width: number;
  workers: number;
  connections: number;
}): number {
  const { pace, slow, inFlight, width, workers, connections } = receiver;
  const window = slow ? Math.min(pace.window, slowShare(connections)) : pace.window;
  return Math.max(0, Math.min(window, shareOf(width, workers)) - inFlight);
}

/**
 * One worker's share of a provider's width. At least one message, because the worker with a share may have none for the
 * provider: all together exceed the width by less than the number of workers.
 */
export function shareOf(width: number, workers: number): number {
  return width === 0 ? 0 : Math.max(1, Math.floor(width / Math.max(1, workers)));
}
