import { expect, test } from "vitest";
import { explainNoEdition } from "../../../src/deliveries/why-no-edition.ts";

const before = new Date("2026-11-23T06:00:00Z");
const due = new Date("2026-11-24T06:00:00Z");
const after = new Date("2026-11-24T06:30:00Z");

test.each<[string, object, RegExp]>([
  ["left out", { skipped: true }, /left that date out/],
  ["no send day", { dueAt: null }, /does not send on that day/],
  ["to come", { dueAt: new Date("2026-11-25T07:00:00Z") }, /due at 2026-11-25 07:00 UTC/],
  ["before the first start", { dueAt: new Date("2026-11-22T07:00:00Z") }, /nothing was to be sent yet/],
  ["late", {}, /not opened yet/],
])("a date without an edition: %s", (_what, part, sentence) => {
  const facts = { date: "2026-11-24", now: after, dueAt: due, skipped: false, since: before, timezone: "UTC" };
  expect(explainNoEdition({ ...facts, ...part })).toMatch(sentence);
});
