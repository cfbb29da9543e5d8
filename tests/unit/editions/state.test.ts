import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { packageRoot } from "../../../src/package-root.ts";
import { Refusal } from "../../../src/base/errors.ts";
import { allowedActions, editionActions, transition, type EditionState } from "../../../src/editions/state.ts";

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

function refusalOf(act: () => unknown): Refusal {
  try {
    act();
  } catch (error) {
    if (error instanceof Refusal) return error;
    throw error;
  }
  throw new Error("It was not refused.");
}
