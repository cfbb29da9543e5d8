import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { packageRoot } from "../../../src/package-root.ts";
import { Refusal } from "../../../src/base/errors.ts";
import {
  allowedActions,
  balance,
  editionActions,
  transition,
  type Balance,
  type EditionState,
} from "../../../src/editions/state.ts";

// What each action makes of each state, in the order of editionActions; "=" changes nothing, "-" is refused.
const table: Record<EditionState, [string, string, string, string, string, string, string]> = {
  // approve pause resume cancel retry resend-unknown unsuppress
  opening: ["-", "-", "-", "cancelled", "-", "-", "-"],
  held: ["sending", "-", "-", "cancelled", "-", "-", "-"],
  sending: ["=", "paused", "=", "cancelled", "=", "=", "="],
  paused: ["-", "=", "sending", "cancelled", "=", "=", "="],
  finished: ["-", "-", "-", "-", "sending", "sending", "="],
  cancelled: ["-", "-", "-", "=", "-", "-", "="],
  missed: ["-", "-", "-", "-", "-", "-", "-"],
  empty: ["-", "-", "-", "-", "-", "-", "-"],
};
const cells = Object.entries(table).flatMap(([state, row]) =>
  editionActions.map((action, column) => [state as EditionState, action, row[column]] as const),
);

describe("transition", () => {
  it("is told of every state and action", () => {
    expect(editionActions).toEqual(["approve", "pause", "resume", "cancel", "retry", "resend-unknown", "unsuppress"]);
    expect(cells).toHaveLength(8 * 7);
  });

  it.each(cells)("%s, %s: %s", (state, action, result) => {
    const move = () => transition(state, action, "2026-11-24");
    if (result !== "-") {
      expect(move()).toBe(result === "=" ? state : result);
      return;
    }
    expect(refusalOf(move)).toMatchObject({
      status: 409,
      code: "edition_action_not_possible",
      details: { edition: "2026-11-24", state, action, allowed: allowedActions(state) },
    });
  });
});

it("only the state machine writes the state of an edition", () => {
  const writes = /(?:updateTable|insertInto)\("editions"\)[^;]*\bstate:|update editions\b[^`]*\bset\b[^`]*\bstate =/;
  const files = readdirSync(join(packageRoot, "src"), { recursive: true, encoding: "utf8" });
  const writers = files.filter(
    (file) => file.endsWith(".ts") && writes.test(readFileSync(join(packageRoot, "src", file), "utf8")),
  );
  expect(writers).toEqual([]);
  expect('update editions e set state = "x"').toMatch(writes);
});

it.each([
  ["opening", ["cancel"]],
  ["held", ["approve", "cancel"]],
  ["sending", ["pause", "cancel", "retry", "resend-unknown", "unsuppress"]],
  ["paused", ["resume", "cancel", "retry", "resend-unknown", "unsuppress"]],
  ["finished", ["retry", "resend-unknown", "unsuppress"]],
  ["cancelled", ["unsuppress"]],
  ["missed", []],
  ["empty", []],
] as const)("while %s an operator can %j", (state, actions) => {
  expect(allowedActions(state)).toEqual(actions);
});

const none: Balance = {
  selected: 0,
  pending: 0,
  sending: 0,
  sent: 0,
  deferred: 0,
  rejected: 0,
  expired: 0,
  unknown: 0,
  skipped: 0,
};

describe("balance", () => {
  it.each<[Partial<Balance>, boolean, boolean, string]>([
    [{}, true, true, "selected 0 = sent 0 + rejected 0 + expired 0 + skipped 0 + unknown 0"],
    [
      { selected: 10, sent: 6, rejected: 1, expired: 1, skipped: 1, unknown: 1 },
      true,
      true,
      "selected 10 = sent 6 + rejected 1 + expired 1 + skipped 1 + unknown 1",
    ],
    [
      { selected: 9, sent: 5, pending: 2, sending: 1, deferred: 1 },
      false,
      true,
      "selected 9 = sent 5 + rejected 0 + expired 0 + skipped 0 + unknown 0 + pending 2 + sending 1 + deferred 1",
    ],
    [
      { selected: 3, sent: 2 },
      true,
      false,
      "selected 3 ≠ sent 2 + rejected 0 + expired 0 + skipped 0 + unknown 0 (1 too few)",
    ],
    [
      { selected: 1, sent: 3 },
      true,
      false,
      "selected 1 ≠ sent 3 + rejected 0 + expired 0 + skipped 0 + unknown 0 (2 too many)",
    ],
  ])("%j", (counts, settled, balanced, sentence) => {
    expect(balance({ ...none, ...counts })).toEqual({ settled, balanced, sentence });
  });

  it("is a sum that anybody can check", () => {
    const count = fc.nat(200_000);
    const counts = fc.record(
      Object.fromEntries(Object.keys(none).map((key) => [key, count])) as Record<keyof Balance, typeof count>,
    );
    const off = fc.constantFrom(0, 0, 1, -1, 7);
    fc.assert(
      fc.property(counts, off, (some, difference) => {
        const { selected: _, ...states } = some;
        const total = Object.values(states).reduce((sum, one) => sum + one, 0);
        const { settled, balanced, sentence } = balance({ ...some, selected: total + difference });
        expect(settled).toBe(some.pending + some.sending + some.deferred === 0);
        expect(balanced).toBe(difference === 0);
        const [, selected, sign, terms = ""] = /^selected (-?\d+) (=|≠) ([^(]+)/.exec(sentence) ?? [];
        const said = [...terms.matchAll(/([a-z]+) (\d+)/g)].map(([, state = "", value]) => [state, Number(value)]);
        expect(Number(selected)).toBe(total + difference);
        expect(sign === "=").toBe(balanced);
        expect(states).toMatchObject(Object.fromEntries(said));
        expect(said.reduce((sum, [, value]) => sum + Number(value), 0)).toBe(total);
      }),
    );
  });
});

function refusalOf(act: () => unknown): Refusal {
  try {
    act();
  } catch (error) {
    if (error instanceof Refusal) return error;
    throw error;
  }
  throw new Error("It was not refused.");
}
