import { sql, type RawBuilder } from "kysely";

export const deliveryStates = [
  "pending",
  "sending",
  "sent",
  "deferred",
  "rejected",
  "expired",
  "unknown",
  "skipped",
] as const;
export type DeliveryState = (typeof deliveryStates)[number];

/** The states that the outcome of a claim can have. */
export const outcomeStates = ["sent", "deferred", "rejected", "unknown", "skipped"] as const;

/** Columns that every table of the ledger has: deliveries, notices and webhook calls. */
type Column = "attempts" | "claim" | "claimed_at" | "due_at" | "settled_at" | "reason_code" | "reason_data" | "reply";

/** `given` values come from the caller. Any other text is the reason's code. */
type Value = "now" | "null" | "zero" | "one more" | "one less" | "given" | { code: string };

interface Move {
  event: string;
  from: readonly DeliveryState[];
  /** `given`: one of the outcome states. */
  to: DeliveryState | "given";
  sets: Partial<Record<Column, Value>>;
}

const noReason = { reason_code: "null", reason_data: "null" } as const;
const again = { attempts: "zero", due_at: "null", settled_at: "null", ...noReason } as const;
const givenBack = { attempts: "one less", claim: "null", claimed_at: "null" } as const;
const noAnswer = {
  settled_at: "now",
  reason_code: { code: "sender_stopped" },
  reason_data: "null",
  reply: "null",
} as const;

/**
 * The state machine of everything that is sent. Statements that change `state` take their columns from `changes` and their
 * condition from `canMove`; nothing else writes a state. A row begins as pending, unless `startsEither` says otherwise. A
 * claim that is given up keeps its owner in `claim`, so that the owner's true answer still counts when it comes late.
 */
export const moves = [
  {
    event: "claim",
    from: ["pending", "deferred"],
    to: "sending",
    sets: { attempts: "one more", claim: "given", claimed_at: "now", settled_at: "null" },
  },
  // In the claim: the reader may not be mailed any more.
  {
    event: "leave-out",
    from: ["pending", "deferred"],
    to: "skipped",
    sets: { claim: "null", claimed_at: "null", settled_at: "now", reason_code: "given", reason_data: "null" },
  },
  { event: "unclaim", from: ["sending"], to: "pending", sets: givenBack },
  // It had been tried before.
  { event: "unclaim-deferred", from: ["sending"], to: "deferred", sets: givenBack },
  // Its sender seemed dead, and then gave it back.
  {
    event: "unclaim-lost",
    from: ["unknown"],
    to: "pending",
    sets: { ...givenBack, due_at: "now", settled_at: "null", ...noReason },
  },
  // Also from states that a claim was moved to when its sender seemed dead: late answers are true.
  {
    event: "settle",
    from: ["sending", "unknown", "pending", "deferred", "skipped", "expired"],
    to: "given",
    sets: {
      claim: "null",
      due_at: "given",
      settled_at: "now",
      reason_code: "given",
      reason_data: "given",
      reply: "given",
    },
  },
  { event: "lose-sender", from: ["sending"], to: "unknown", sets: { due_at: "null", ...noAnswer } },
  { event: "retry-lost", from: ["sending"], to: "deferred", sets: { due_at: "given", ...noAnswer } },
  {
    event: "expire",
    from: ["pending", "deferred"],
    to: "expired",
    sets: { settled_at: "now", reason_code: { code: "not_sent_in_time" }, reason_data: "null" },
  },
  { event: "retry", from: ["rejected", "expired"], to: "pending", sets: again },
  { event: "resend-unknown", from: ["unknown"], to: "pending", sets: again },
  {
    event: "cancel",
    from: ["pending", "deferred"],
    to: "skipped",
    sets: { due_at: "null", settled_at: "now", reason_code: { code: "edition_cancelled" }, reason_data: "null" },
  },
  // An editor changes a held edition.
  {
    event: "lose-articles",
    from: ["pending"],
    to: "skipped",
    sets: { due_at: "null", settled_at: "now", reason_code: { code: "no_articles_left" } },
  },
  {
    event: "regain-articles",
    from: ["skipped"],
    to: "pending",
    sets: { due_at: "given", settled_at: "null", ...noReason },
  },
  // In the fan-out: a row begins with it.
  {
    event: "warm-up",
    from: [],
    to: "skipped",
    sets: { settled_at: "now", reason_code: { code: "warm_up" }, reason_data: "given" },
  },
] as const satisfies readonly Move[];

export type DeliveryEvent = (typeof moves)[number]["event"];

/** Values that a move takes from its caller, as SQL. */
export interface Given {
  now: Date;
  state?: RawBuilder<unknown>;
  claim?: RawBuilder<unknown>;
  due_at?: RawBuilder<unknown>;
  reason_code?: RawBuilder<unknown>;
  reason_data?: RawBuilder<unknown>;
  reply?: RawBuilder<unknown>;
}

function moveOf(event: DeliveryEvent): Move {
  return moves.find((move) => move.event === event)!;
}

/** The condition that row `d` can take one of the events. */
export function canMove(...events: readonly DeliveryEvent[]): RawBuilder<boolean> {
  const states = [...new Set(events.flatMap((event) => moveOf(event).from))];
  return sql<boolean>`d.state in (${sql.join(states.map((state) => sql.lit(state)))})`;
}

/** The `set` list that moves the rows `d` by an event. */
export function changes(event: DeliveryEvent, given: Given): RawBuilder<unknown> {
  const move = moveOf(event);
  const columns = Object.keys(move.sets) as Column[];
  return sql.join([
    sql`state = ${stateAfter(move, given)}`,
    ...columns.map((column) => sql`${sql.ref(column)} = ${valueOf(move, column, given)}`),
  ]);
}

/** The `set` list that moves the rows `d` by the first event where `when` is true, and by the second otherwise. */
export function eitherChanges(
  when: RawBuilder<unknown>,
  events: readonly [DeliveryEvent, DeliveryEvent],
  given: Given,
): RawBuilder<unknown> {
  const [first, second] = events.map(moveOf) as [Move, Move];
  const columns = [...new Set([first, second].flatMap((move) => Object.keys(move.sets) as Column[]))];
  return sql.join([
    sql`state = case when ${when} then ${stateAfter(first, given)} else ${stateAfter(second, given)} end`,
    ...columns.map((column) => {
      const [yes, no] = [first, second].map((move) => valueOf(move, column, given));
      return sql`${sql.ref(column)} = case when ${when} then ${yes!} else ${no!} end`;
    }),
  ]);
}

/** For an insert: the columns and values of rows that begin with the event where `when` is true, and as pending otherwise. */
export function startsEither(
  when: RawBuilder<unknown>,
  event: DeliveryEvent,
  given: Given,
): { columns: RawBuilder<unknown>; values: RawBuilder<unknown> } {
  const move = moveOf(event);
  const columns = Object.keys(move.sets) as Column[];
  const values = columns.map((column) => sql`case when ${when} then ${valueOf(move, column, given)} end`);
  return {
    columns: sql.join([sql`state`, ...columns.map((column) => sql.ref(column))]),
    values: sql.join([sql`case when ${when} then ${stateAfter(move, given)} else 'pending' end`, ...values]),
  };
}

function stateAfter({ event, to }: Move, given: Given): RawBuilder<unknown> {
  return to === "given" ? needed(event, "state", given.state) : sql.lit(to);
}

const types: Partial<Record<Column, RawBuilder<unknown>>> = {
  claim: sql`::uuid`,
  claimed_at: sql`::timestamptz`,
  due_at: sql`::timestamptz`,
  settled_at: sql`::timestamptz`,
  reason_data: sql`::jsonb`,
};

function valueOf({ event, sets }: Move, column: Column, given: Given): RawBuilder<unknown> {
  const value = sets[column];
  const type = types[column] ?? sql`::text`;
  if (value === undefined) return sql`d.${sql.ref(column)}`;
  if (typeof value === "object") return sql.lit(value.code);
  switch (value) {
    case "now":
      return sql`${given.now}::timestamptz`;
    case "null":
      return sql`null${type}`;
    case "zero":
      return sql`0`;
    case "one more":
      return sql`d.attempts + 1`;
    case "one less":
      return sql`d.attempts - 1`;
    case "given":
      return sql`(${needed(event, column, given[column as keyof Given] as RawBuilder<unknown> | undefined)})${type}`;
  }
}

function needed(event: string, column: string, value: RawBuilder<unknown> | undefined): RawBuilder<unknown> {
  if (value === undefined) throw new Error(`The event ${event} needs a value for ${column}.`);
  return value;
}
