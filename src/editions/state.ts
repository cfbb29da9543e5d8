import { sql, type Updateable } from "kysely";
import { Refusal } from "../base/errors.ts";
import type { Db, Schema, Tx } from "../db/schema.ts";
import type { Wake } from "../queue/contract.ts";

export const editionStates = [
  "opening",
  "held",
  "sending",
  "paused",
  "finished",
  "cancelled",
  "missed",
  "empty",
] as const;
export type EditionState = (typeof editionStates)[number];

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

/** Everything that can happen to an edition: the actions above, and what the program does. */
export type EditionEvent =
  | EditionAction
  | "open"
  | "miss"
  | "find-nothing"
  | "start"
  | "hold"
  | "expire-approval"
  | "finish"
  | "reopen";

interface Move {
  event: EditionEvent;
  /** null for an edition that has no row yet. */
  from: readonly (EditionState | null)[];
  to: EditionState | "same";
  /** Set to the present instant, to the present instant plus EXPIRE_HOURS, or cleared. */
  sets?: Partial<Record<"sending_at" | "closed_at" | "expires_at" | "approve_by", "now" | "expiry" | "null">>;
  /** The job that goes on with the edition. Without one, the recovery job finds what is left to do. */
  wakes?: "render-edition" | "queue-slices";
  /** The action has already been done. Repeating it is no error, because of double clicks, and it is not offered. */
  repeats?: true;
}

/** An edition that continues after a pause, or is sent again, gets the whole time for its deliveries. */
const restarted = { closed_at: "null", expires_at: "expiry" } as const;

/** The state machine of editions. `moveEdition` and `afterEvent` follow it; nothing else writes `editions.state`. */
const moves: readonly Move[] = [
  { event: "open", from: [null], to: "opening", sets: { expires_at: "expiry" }, wakes: "render-edition" },
  { event: "miss", from: [null], to: "missed", sets: { closed_at: "now" } },
  { event: "find-nothing", from: ["opening"], to: "empty", sets: { closed_at: "now" } },
  { event: "start", from: ["opening"], to: "sending", sets: { sending_at: "now" }, wakes: "queue-slices" },
  { event: "hold", from: ["opening"], to: "held" },
  { event: "expire-approval", from: ["held"], to: "held", sets: { approve_by: "null" } },
  { event: "approve", from: ["held"], to: "sending", sets: { sending_at: "now", ...restarted }, wakes: "queue-slices" },
  { event: "approve", from: ["sending"], to: "sending", repeats: true },
  // An edition that is opening has nothing to pause; cancelling prevents it.
  { event: "pause", from: ["sending"], to: "paused" },
  { event: "pause", from: ["paused"], to: "paused", repeats: true },
  { event: "resume", from: ["paused"], to: "sending", sets: restarted, wakes: "queue-slices" },
  { event: "resume", from: ["sending"], to: "sending", repeats: true },
  { event: "cancel", from: ["opening", "held", "sending", "paused"], to: "cancelled", sets: { closed_at: "now" } },
  { event: "cancel", from: ["cancelled"], to: "cancelled", sets: { closed_at: "now" }, repeats: true },
  { event: "retry", from: ["sending", "finished"], to: "sending", sets: restarted, wakes: "queue-slices" },
  // Its retries wait with the rest until it is resumed.
  { event: "retry", from: ["paused"], to: "paused", sets: restarted },
  { event: "resend-unknown", from: ["sending", "finished"], to: "sending", sets: restarted, wakes: "queue-slices" },
  { event: "resend-unknown", from: ["paused"], to: "paused", sets: restarted },
  // This sends nothing: the readers get the edition by a retry.
  { event: "unsuppress", from: ["sending", "paused", "finished", "cancelled"], to: "same" },
  { event: "finish", from: ["sending"], to: "finished", sets: { closed_at: "now" } },
  // A delivery that was swept as lost is open after all.
  { event: "reopen", from: ["finished"], to: "sending", sets: { closed_at: "null" } },
];

function moveOf(event: EditionEvent, from: EditionState | null): Move | undefined {
  return moves.find((move) => move.event === event && move.from.includes(from));
}

/**
 * What an operator can do in this state, for buttons and for refusals. Repeats that would change nothing are left out.
 * @param kept whether the edition's deliveries are kept, or retention has removed them
 */
export function allowedActions(state: EditionState, kept = true): EditionAction[] {
  return editionActions.filter((action) => {
    const move = moveOf(action, state);
    return move !== undefined && move.repeats === undefined && (kept || !sendsAgain(action));
  });
}

/** Actions that send deliveries once more. */
export function sendsAgain(action: EditionAction): action is "retry" | "resend-unknown" {
  return action === "retry" || action === "resend-unknown";
}

/**
 * The state of an edition after an operator's action. An action that has been done already gives the same state.
 * @param edition its name, for the refusal
 * @throws Refusal 409 that names the state and what it allows
 */
export function transition(state: EditionState, action: EditionAction, edition: string): EditionState {
  const move = moveOf(action, state);
  if (move) return move.to === "same" ? state : move.to;
  const allowed = allowedActions(state);
  const actions = allowed.join(", ") || "none";
  throw new Refusal(409, "edition_action_not_possible", { edition, state, action, allowed, actions });
}

/** Queues the job that goes on with an edition after an event, if there is one. */
export async function wakeAfter(
  wake: Wake,
  event: EditionEvent,
  { id, from }: { id: number; from: EditionState | null },
): Promise<void> {
  const job = moveOf(event, from)?.wakes;
  if (job !== undefined) await wake(job, { editionId: id });
}

/** Any columns but the state. */
type EditionChange = Omit<Updateable<Schema["editions"]>, "state">;

interface At {
  now: Date;
  /** For events that set when deliveries expire. */
  expireHours?: number;
}

/** The columns of an edition after an event. @throws Error when the event cannot happen in this state */
export function afterEvent(event: EditionEvent, from: EditionState | null, { now, expireHours = 0 }: At) {
  const move = moveOf(event, from);
  if (!move) throw new Error(`${event} cannot happen to an edition that is ${from ?? "not there"}.`);
  const values = { now, expiry: new Date(now.getTime() + expireHours * 3_600_000), null: null };
  const sets = Object.entries(move.sets ?? {}).map(([column, value]) => [column, values[value]]);
  return {
    state: move.to === "same" ? from! : move.to,
    ...(Object.fromEntries(sets) as Partial<Record<keyof NonNullable<Move["sets"]>, Date | null>>),
  };
}

/**
 * Moves an edition by an event, unless it has left the state `from` meanwhile.
 * @param also what else changes in the same step
 * @returns whether it was moved
 */
export async function moveEdition(
  db: Db | Tx,
  { id, from, event, also }: { id: number; from: EditionState; event: EditionEvent; also?: EditionChange },
  at: At,
): Promise<boolean> {
  const { numUpdatedRows } = await db
    .updateTable("editions")
    .set({ ...afterEvent(event, from, at), ...also })
    .where("id", "=", id)
    .where("state", "=", from)
    .executeTakeFirst();
  return numUpdatedRows === 1n;
}

/**
 * Reopens finished editions with a delivery that was swept as lost and was deferred, or not even handed over, after all.
 * Otherwise it would never be sent.
 * @param open the deliveries that may be open now
 */
export async function reopenEditions(
  tx: Tx,
  open: readonly { editionId: number; id: number }[],
  now: Date,
): Promise<void> {
  if (open.length === 0) return;
  const rows = await tx
    .selectFrom("editions as e")
    .innerJoin("deliveries as d", "d.edition_id", "e.id")
    .select("e.id")
    .distinct()
    .where(sql<boolean>`e.id = any(${open.map(({ editionId }) => editionId)}::bigint[])`)
    .where(sql<boolean>`d.id = any(${open.map(({ id }) => id)}::bigint[])`)
    .where("d.state", "in", ["pending", "deferred"])
    .where("e.state", "=", "finished")
    .orderBy("e.id")
    .execute();
  for (const { id } of rows) await moveEdition(tx, { id, from: "finished", event: "reopen" }, { now });
}
