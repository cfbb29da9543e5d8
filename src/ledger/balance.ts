import type { DeliveryState } from "./state.ts";

/** The deliveries of one edition: how many readers were selected at the freeze, and how many rows are in each state. */
export interface Balance extends Record<DeliveryState, number> {
  selected: number;
}

/** No delivery is counted yet. */
export function emptyBalance(selected: number): Balance {
  return {
    selected,
    sent: 0,
    rejected: 0,
    expired: 0,
    skipped: 0,
    unknown: 0,
    pending: 0,
    sending: 0,
    deferred: 0,
  };
}

const closedStates = ["sent", "rejected", "expired", "skipped", "unknown"] as const;
/** Open deliveries are sent without an operator. `unknown` is closed: only an operator reopens it. */
const openStates = ["pending", "sending", "deferred"] as const;

export interface Sum {
  /** The states to show: the open ones only while a delivery is in one of them. */
  shown: readonly DeliveryState[];
  /** No delivery is open. */
  settled: boolean;
  /** Each selected reader is in exactly one state. */
  balanced: boolean;
  /** How many deliveries are missing; negative for too many. */
  difference: number;
}

/** Whether an edition adds up. It may be finished only when it is settled and balanced. */
export function balance(counts: Balance): Sum {
  const open = sum(counts, openStates);
  const difference = counts.selected - open - sum(counts, closedStates);
  const shown = open === 0 ? closedStates : [...closedStates, ...openStates];
  return { shown, settled: open === 0, balanced: difference === 0, difference };
}

function sum(counts: Balance, states: readonly DeliveryState[]): number {
  return states.reduce((total, state) => total + counts[state], 0);
}
