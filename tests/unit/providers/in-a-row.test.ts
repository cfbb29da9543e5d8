import { expect, test } from "vitest";
import { createInARow, type InARow, probeLimit, refusalLimit } from "../../../src/providers/in-a-row.ts";

const gmail = { domain: "gmail.com", provider: "google" };
const customer = (name: string) => ({ domain: `${name}.example`, provider: "google" });
const alone = { domain: "club.example", provider: "club.example" };
const never = () => false;

/** Refusals in a row, with those after which somebody has refused too many. */
function refuse(rows: InARow, receiver: typeof gmail, count: number, isTried = never): string[][] {
  return Array.from({ length: count }, () => rows.refused(receiver, isTried)).filter((names) => names.length > 0);
}

test("a reply of a provider's own domain is about the provider", () => {
  expect(createInARow().slowed(gmail)).toEqual(["google"]);
  expect(createInARow().slowed(alone)).toEqual(["club.example"]);
});

test("a customer's domain speaks for itself, and three of them in a row for their provider", () => {
  const rows = createInARow();
  expect(rows.slowed(customer("a"))).toEqual(["a.example"]);
  expect(rows.slowed(customer("a"))).toEqual(["a.example"]);
  expect(rows.slowed(customer("b"))).toEqual(["b.example"]);
  expect(rows.slowed(customer("c"))).toEqual(["c.example", "google"]);
});

test("while their provider accepts others, customers speak only for themselves", () => {
  const rows = createInARow();
  for (const name of ["a", "b", "c", "d"]) {
    rows.accepted(gmail);
    expect(rows.slowed(customer(name))).toEqual([`${name}.example`]);
  }
});

test("ten refusals in a row are a block, and one acceptance starts the count again", () => {
  const rows = createInARow();
  expect(refuse(rows, gmail, refusalLimit - 1)).toEqual([]);
  rows.accepted(gmail);
  expect(refuse(rows, gmail, refusalLimit - 1)).toEqual([]);
  expect(refuse(rows, gmail, 1)).toEqual([["google"]]);
});

test("a provider that is tried again is blocked sooner", () => {
  expect(refuse(createInARow(), gmail, probeLimit, () => true)).toEqual([["google"]]);
});

test("one customer's refusals block no provider, those of three do", () => {
  expect(refuse(createInARow(), customer("a"), 3 * refusalLimit)).toEqual([
    ["a.example"],
    ["a.example"],
    ["a.example"],
  ]);
  const rows = createInARow();
  const names = ["a", "b", "c"].flatMap((name) => refuse(rows, customer(name), 5).flat());
  expect(names).toEqual(["google"]);
});
