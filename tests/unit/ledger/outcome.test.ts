import { expect, test } from "vitest";
import { outcomeCodes, retryDelayMs } from "../../../src/ledger/outcome.ts";
import { outcomeInWords } from "../../../src/texts/deliveries.ts";
import { messagesOf } from "../../../src/texts/catalogue.ts";
import { textOf } from "../../support/text.ts";

test("twice in the first hour, then longer and longer up to three hours (RFC 1123 §5.3.1.1, RFC 5321 §4.5.4.1)", () => {
  const minutes = Array.from({ length: 9 }, (_, i) => retryDelayMs(i + 1) / 60_000);
  expect(minutes).toEqual([30, 30, 60, 90, 120, 150, 180, 180, 180]);
  expect(retryDelayMs(0)).toBe(retryDelayMs(1));
});

test("every code of an outcome has a text, and no text is left without a code", () => {
  const texts = Object.keys(messagesOf("en")).filter((key) => key.startsWith("outcome."));
  const codes = [...outcomeCodes, "with_reply"].map((code) => `outcome.${code}`);
  expect(texts.toSorted()).toEqual(codes.toSorted());
});

test("an outcome in words is the code's text, the reply, or both", () => {
  const reply = "451 4.3.0 later";
  const reason = textOf("outcome.edition_cancelled");
  expect(outcomeInWords({ code: null, data: null, reply: null })).toBeNull();
  expect(outcomeInWords({ code: null, data: null, reply })).toBe(reply);
  expect(outcomeInWords({ code: "edition_cancelled", data: {}, reply: null })).toBe(reason);
  expect(outcomeInWords({ code: "edition_cancelled", data: {}, reply })).toBe(
    textOf("outcome.with_reply", { reason, reply }),
  );
});
