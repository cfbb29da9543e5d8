import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { DummyDriver, Kysely, PostgresAdapter, PostgresIntrospector, PostgresQueryCompiler, sql } from "kysely";
import { expect, test } from "vitest";
import { packageRoot } from "../../../src/package-root.ts";
import {
  canMove,
  changes,
  deliveryStates,
  eitherChanges,
  startsEither,
  moves,
  outcomeStates,
  type DeliveryEvent,
  type Given,
} from "../../../src/ledger/state.ts";

const db = new Kysely<object>({
  dialect: {
    createAdapter: () => new PostgresAdapter(),
    createDriver: () => new DummyDriver(),
    createIntrospector: (one) => new PostgresIntrospector(one),
    createQueryCompiler: () => new PostgresQueryCompiler(),
  },
});
const textOf = (part: ReturnType<typeof canMove>): string => part.compile(db).sql;
const some = sql`x`;
const given: Given = {
  now: new Date(0),
  state: some,
  claim: some,
  due_at: some,
  reason_code: some,
  reason_data: some,
  reply: some,
};

test("each event stands in the table once, and every state can be reached and left, except by those that are final", () => {
  const events = moves.map((move) => move.event);
  expect(new Set(events).size).toBe(events.length);
  const reached = new Set(moves.flatMap((move) => (move.to === "given" ? outcomeStates : [move.to])));
  expect(deliveryStates.filter((state) => !reached.has(state))).toEqual([]);
  const left = new Set<string>(moves.flatMap((move) => move.from));
  expect(deliveryStates.filter((state) => !left.has(state))).toEqual(["sent"]);
});

test.each(moves.map((move) => move.event))("%s: the statement has the states and columns of the table", (event) => {
  const move = moves.find((one) => one.event === event)!;
  expect(textOf(canMove(event))).toBe(`d.state in (${move.from.map((state) => `'${state}'`).join(", ")})`);
  const set = textOf(changes(event, given) as ReturnType<typeof canMove>);
  expect(set).toContain(move.to === "given" ? "state = x" : `state = '${move.to}'`);
  for (const column of Object.keys(move.sets)) expect(set).toContain(`"${column}" = `);
});

test("one of two events leaves alone what only the other sets", () => {
  const set = textOf(eitherChanges(sql`yes`, ["claim", "leave-out"], given) as ReturnType<typeof canMove>);
  expect(set).toContain("state = case when yes then 'sending' else 'skipped' end");
  expect(set).toContain(`"attempts" = case when yes then d.attempts + 1 else d."attempts" end`);
});

test("a row that begins otherwise has the columns of the table", () => {
  const { columns, values } = startsEither(sql`yes`, "warm-up", given);
  expect(textOf(columns as ReturnType<typeof canMove>)).toBe('state, "settled_at", "reason_code", "reason_data"');
  expect(textOf(values as ReturnType<typeof canMove>)).toContain("case when yes then 'skipped' else 'pending' end");
});

test("an event that needs a value is not applied without it", () => {
  const bare: DeliveryEvent[] = ["claim", "leave-out", "settle", "retry-lost", "regain-articles", "warm-up"];
  for (const event of moves.map((move) => move.event)) {
    const apply = () => changes(event, { now: new Date(0) });
    if (bare.includes(event)) expect(apply).toThrow(event);
    else expect(apply).not.toThrow();
  }
});

const tables = "(?:deliveries|notices|alert_calls)";
const writes = [
  // The set list of an update, up to what ends it.
  new RegExp(`update ${tables}\\b[^\`]*?\\bset\\b(?:(?!\\bfrom\\b|\\bwhere\\b)[^\`])*\\bstate =`),
  new RegExp(`updateTable\\("${tables}[^]*?\\.set\\(\\{[^}]*\\bstate\\b`),
  new RegExp(`insert into ${tables} \\([^)]*\\bstate\\b`),
  new RegExp(`insertInto\\("${tables}"\\)\\s*\\.values\\(\\{[^}]*\\bstate\\b`),
];
const writesState = (source: string): boolean => writes.some((pattern) => pattern.test(source));

test("nothing writes a state but the table of moves", () => {
  const files = ["src", "jobs"].flatMap((folder) =>
    readdirSync(join(packageRoot, folder), { recursive: true, encoding: "utf8" })
      .filter((file) => file.endsWith(".ts"))
      .map((file) => join(folder, file)),
  );
  expect(files.filter((file) => writesState(readFileSync(join(packageRoot, file), "utf8")))).toEqual([]);
});

test.each([
  "sql`update deliveries d set state = 'sent' where id = 1`",
  "sql`update notices set reply = null, state = 'sent'`",
  'db.updateTable("alert_calls").set({ reply: null, state: "sent" })',
  "sql`insert into deliveries (edition_id, state) values (1, 'sent')`",
])("such a write is found: %s", (source) => {
  expect(writesState(source)).toBe(true);
});
