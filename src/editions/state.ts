import { Refusal } from "../base/errors.ts";

export type EditionState = "opening" | "held" | "sending" | "paused" | "finished" | "cancelled" | "missed" | "empty";

/** States in which an edition is not over. */
export const activeStates = ["opening", "held", "sending", "paused"] as const satisfies EditionState[];

export function isActive(state: EditionState): boolean {
  return activeStates.some((one) => one === state);
}

/** What an operator can do to an edition. */
export const editionActions = [
  "approve",
  "pause",
  "resume",
  "cancel",
  "retry",
  "resend-unknown",
  "unsuppress",
] as const;
export type EditionAction = (typeof editionActions)[number];

interface Rule {
  /** For the refusal: "pausing is possible only while it is sending". */
  doing: string;
  when: string;
  moves: Partial<Record<EditionState, EditionState>>;
  /** The state in which the action has already been done: asking again changes nothing and is no error. */
  done?: EditionState;
}

const again = { finished: "sending", sending: "sending", paused: "paused" } as const;

const rules: Record<EditionAction, Rule> = {
  approve: { doing: "approving", when: "while it is held", moves: { held: "sending" }, done: "sending" },
  // Not while it is opening: there is nothing to stop yet, and cancelling is the way to prevent it.
  pause: { doing: "pausing", when: "while it is sending", moves: { sending: "paused" }, done: "paused" },
  resume: { doing: "resuming", when: "while it is paused", moves: { paused: "sending" }, done: "sending" },
  cancel: {
    doing: "cancelling",
    when: "before it is finished",
    moves: { opening: "cancelled", held: "cancelled", sending: "cancelled", paused: "cancelled" },
    done: "cancelled",
  },
  // A paused edition stays paused: what is to go out again waits with the rest until it is resumed.
  retry: { doing: "retrying", when: "while it is sending, paused or finished", moves: again },
  "resend-unknown": {
    doing: "resending unknown deliveries",
    when: "while it is sending, paused or finished",
    moves: again,
  },
  // Nothing is sent by that: the readers who are back get it by a retry.
  unsuppress: {
    doing: "taking its suppressions back",
    when: "once it was being sent",
    moves: { sending: "sending", paused: "paused", finished: "finished", cancelled: "cancelled" },
  },
};

/** What an operator can do in this state, for buttons and for refusals; repeats that would change nothing are left out. */
export function allowedActions(state: EditionState): EditionAction[] {
  return editionActions.filter((action) => rules[action].moves[state] !== undefined);
}

/**
 * The state of an edition after an operator's action. An action that has been done already gives the same state, so that
 * a double click is no error. Throws a 409 Refusal that names the state and what is allowed; `date` is for that sentence.
 */
export function transition(state: EditionState, action: EditionAction, date?: string): EditionState {
  const rule = rules[action];
  const next = rule.done === state ? state : rule.moves[state];
  if (next !== undefined) return next;
  const edition = date === undefined ? "The edition" : `Edition ${date}`;
  const allowed = allowedActions(state);
  const hint = allowed.length > 0 ? `now it allows ${allowed.join(", ")}` : "now it allows no action";
  throw new Refusal(409, `${edition} is ${state}: ${rule.doing} is possible only ${rule.when}; ${hint}.`, {
    state,
    allowed,
  });
}

export type DeliveryState =
  | "pending"
  | "sending"
  | "sent"
  | "deferred"
  | "rejected"
  | "expired"
  | "unknown"
  | "skipped";

/** The deliveries of one edition: how many readers were selected at the freeze, and how many rows are in each state. */
export interface Balance extends Record<DeliveryState, number> {
  selected: number;
}

const closedStates = ["sent", "rejected", "expired", "skipped", "unknown"] as const;
/** Work is still to be done by itself. Unknown is closed: only an operator reopens it. */
const openStates = ["pending", "sending", "deferred"] as const;

/**
 * Whether an edition adds up. `settled`: no delivery is open. `balanced`: each selected reader is in exactly one state.
 * An edition may be finished only when it is both. The sentence is the sum, with the open states only while there are
 * any, and the difference when it does not add up.
 */
export function balance(counts: Balance): { settled: boolean; balanced: boolean; sentence: string } {
  const open = sum(counts, openStates);
  const difference = counts.selected - open - sum(counts, closedStates);
  const shown: readonly DeliveryState[] = open === 0 ? closedStates : [...closedStates, ...openStates];
  const terms = shown.map((state) => `${state} ${counts[state]}`).join(" + ");
  const sentence =
    difference === 0
      ? `selected ${counts.selected} = ${terms}`
      : `selected ${counts.selected} ≠ ${terms} (${Math.abs(difference)} too ${difference > 0 ? "few" : "many"})`;
  return { settled: open === 0, balanced: difference === 0, sentence };
}

function sum(counts: Balance, states: readonly DeliveryState[]): number {
  return states.reduce((total, state) => total + counts[state], 0);
}
