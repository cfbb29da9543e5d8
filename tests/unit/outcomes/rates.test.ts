import { expect, test } from "vitest";
import { editionRates, ratesOf } from "../../../src/outcomes/rates.ts";
import { outcomesInShort, outcomesInWords, percentInWords } from "../../../src/texts/outcomes.ts";

const counts = { emails: 10_000, hard: 0, soft: 0, policy: 0, complained: 0 };
const google = { provider: "google", reported: true };

test.each([
  ["fewer than Gmail asks for", 9, "low", "low"],
  ["as many as Gmail asks to avoid, which others accept", 10, "raised", "low"],
  ["just below the limit of all", 29, "raised", "low"],
  ["the limit of all", 30, "high", "high"],
])("complaints of 10,000 emails: %s", (_what, complained, gmail, yahoo) => {
  expect(ratesOf({ ...counts, complained }, google)).toMatchObject({
    complaintRate: complained / 10_000,
    complaintLevel: gmail,
  });
  expect(ratesOf({ ...counts, complained }, { ...google, provider: "yahoo" }).complaintLevel).toBe(yahoo);
  expect(ratesOf({ ...counts, complained }, { ...google, provider: null }).complaintLevel).toBe(gmail);
});

test("few complaints or few emails have a rate but no level", () => {
  expect(ratesOf({ ...counts, emails: 10, complained: 1 }, google)).toMatchObject({
    complaintRate: 0.1,
    complaintLevel: null,
  });
  expect(ratesOf({ ...counts, emails: 99, complained: 9 }, google).complaintLevel).toBe(null);
});

test("what nobody reports is unknown and not 0", () => {
  expect(ratesOf(counts, { ...google, reported: false })).toMatchObject({ bounceRate: null, complaintRate: null });
  expect(ratesOf(counts, google)).toMatchObject({ bounceRate: 0, complaintRate: null });
  expect(ratesOf({ ...counts, hard: 2 }, { ...google, reported: false })).toMatchObject({ bounceRate: 2 / 10_000 });
  expect(ratesOf({ ...counts, emails: 0, hard: 1 }, google)).toMatchObject({ bounceRate: null });
});

test("an edition without any report says nothing about bounces", () => {
  const none = { hard: 0, soft: 0, policy: 0, complained: 0, gone: 0, spared: 0 };
  expect([outcomesInWords(none, editionRates(none, 100), 100), outcomesInShort(editionRates(none, 100))]).toEqual([
    null,
    null,
  ]);
});

test.each([
  [0, "0%"],
  [0.00005, "< 0.01%"],
  [0.0015, "0.15%"],
  [0.003, "0.3%"],
  [0.042, "4.2%"],
  [0.3678, "37%"],
  [1, "100%"],
])("the share %f is %s", (share, text) => {
  expect(percentInWords(share)).toBe(text);
});
