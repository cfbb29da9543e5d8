import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { balanceInWords } from "../../../src/texts/deliveries.ts";
import { allowedActions, type EditionState } from "../../../src/editions/state.ts";

const handbook = readFileSync(new URL("../../../docs/operations/README.md", import.meta.url), "utf8");

/** The rows of the table under a heading: first cell, last cell. */
function rowsUnder(heading: string): [string, string][] {
  const section = handbook.split(`\n## ${heading}\n`)[1]?.split("\n## ")[0] ?? "";
  const rows = [...section.matchAll(/^\| (.+?) \|(.*)\|$/gm)].slice(2);
  return rows.map(([, first = "", rest = ""]) => [first, rest.split("|").at(-1) ?? ""]);
}

it("tells what an operator can do in each state of an edition", () => {
  const told = rowsUnder("States of an edition").map(([state, actions]) => [state, actions.match(/[a-z-]+/g) ?? []]);
  const states: EditionState[] = ["opening", "held", "sending", "paused", "finished", "cancelled", "empty", "missed"];
  expect(told).toEqual(states.map((state) => [state, allowedActions(state)]));
});

it("tells every state of a delivery, and the balance as it is said", () => {
  const states = rowsUnder("States of a delivery").map(([state]) => state);
  expect(states).toEqual(["pending", "sending", "sent", "deferred", "rejected", "expired", "skipped", "unknown"]);
  const open = { pending: 0, sending: 0, deferred: 0 };
  const counts = { selected: 4812, sent: 4790, rejected: 12, expired: 3, skipped: 5, unknown: 2 };
  expect(handbook).toContain(`\n${balanceInWords({ ...open, ...counts })}\n`);
});
