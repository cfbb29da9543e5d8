import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { balance, type Balance } from "../../../src/ledger/balance.ts";
import { balanceInWords } from "../../../src/texts/deliveries.ts";

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
    expect(balance({ ...none, ...counts })).toMatchObject({ settled, balanced });
    expect(balanceInWords({ ...none, ...counts })).toBe(sentence);
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
        const counted = { ...some, selected: total + difference };
        const { settled, balanced, difference: missing } = balance(counted);
        const sentence = balanceInWords(counted);
        expect(missing).toBe(difference);
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
