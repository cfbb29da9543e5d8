import fc from "fast-check";
import { expect, test } from "vitest";
import { createReplyReader, longestReply } from "../../../src/mail/replies.ts";

function readAll(bytes: Buffer, cuts: readonly number[]): { replies: string[] | null; rest: string } {
  const reader = createReplyReader();
  const replies: string[] = [];
  const at = [0, ...cuts.map((cut) => cut % (bytes.length + 1)).toSorted((a, b) => a - b), bytes.length];
  for (let i = 1; i < at.length; i += 1) {
    const more = reader.read(bytes.subarray(at[i - 1], at[i]));
    if (more === null) return { replies: null, rest: "" };
    replies.push(...more);
  }
  return { replies, rest: reader.rest() };
}

const text = fc.string({ unit: "binary", maxLength: 30 }).map((said) => said.replace(/[\r\n]/g, ""));
const line = fc.tuple(fc.integer({ min: 200, max: 599 }), fc.constantFrom("-", " ", ""), text).map((it) => it.join(""));
const bytes = fc.oneof(
  fc
    .array(fc.tuple(fc.oneof(line, text), fc.constantFrom("\r\n", "\n")), { maxLength: 12 })
    .map((it) => it.flat().join("")),
  fc.string({ unit: fc.constantFrom("2", "5", "0", "-", " ", "\r", "\n", "é", "x"), maxLength: 60 }),
);

test("however the relay's bytes are cut, they are the same replies", () => {
  fc.assert(
    fc.property(bytes, fc.array(fc.nat(), { maxLength: 20 }), (said, cuts) => {
      const whole = Buffer.from(said);
      expect(readAll(whole, cuts)).toEqual(readAll(whole, []));
      expect(readAll(whole, whole.length > 0 ? Array.from(whole.keys()) : [])).toEqual(readAll(whole, []));
    }),
  );
});

test.each([
  ["250 ok\r\n", ["250 ok"]],
  ["250-one\r\n250-two\r\n250 three\r\n250 next\r\n", ["250-one\n250-two\n250 three", "250 next"]],
  ["250\r\n", ["250"]],
  ["250 ok\n\r\n\n354 go\n", ["250 ok", "354 go"]],
  ["something else\r\n", ["something else"]],
  ["250 보냄\r\n", ["250 보냄"]],
  ["250 o", []],
  ["250-o\r\n", []],
])("%j is read", (said, replies) => {
  expect(readAll(Buffer.from(said), []).replies).toEqual(replies);
});

test("text that is not UTF-8 keeps its bytes", () => {
  expect(readAll(Buffer.from("550 \xe9t\xe9\r\n", "latin1"), []).replies).toEqual(["550 \xe9t\xe9"]);
});

test.each([
  ["a line", "x"],
  ["a reply", "250-x\r\n"],
])("%s that never ends is not kept", (_, piece) => {
  const reader = createReplyReader();
  let fed = 0;
  while (reader.read(Buffer.from(piece)) !== null) fed += piece.length;
  expect(fed).toBeLessThan(1.3 * longestReply);
  expect(reader.rest()).toBe("");
  expect(reader.read(Buffer.from("250 ok\r\n"))).toBeNull();
});
