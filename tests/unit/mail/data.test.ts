import fc from "fast-check";
import { expect, test } from "vitest";
import { dataGroups } from "../../../src/mail/data.ts";

const sent = (...pieces: string[]): string =>
  Buffer.concat(dataGroups(pieces.map((piece) => Buffer.from(piece, "latin1"))).flat()).toString("latin1");

/** What a receiver keeps (RFC 5321 §4.5.2). */
function received(data: string): string {
  expect(data.endsWith("\r\n.\r\n") || data === ".\r\n").toBe(true);
  return data.slice(0, -3).replace(/(^|\r\n)\./g, "$1");
}

test("a receiver gets the message, however it is divided, and one end of data", () => {
  const word = fc.constantFrom("\r\n", "\r\n.", ".", "..", "x", "한", "\r\n.\r\n", " ");
  const message = fc.array(word, { maxLength: 30 }).map((words) => words.join(""));
  fc.assert(
    fc.property(message, message, (head, body) => {
      const whole = Buffer.from(`${head}\r\n${body}`).toString("latin1");
      const cut = Buffer.from(`${head}\r\n`).length;
      const data = sent(whole.slice(0, cut), whole.slice(cut));
      expect(data).toBe(sent(whole));
      expect(received(data)).toBe(whole.endsWith("\r\n") ? whole : `${whole}\r\n`);
      expect(data.slice(0, -3).split(/(?:^|\r\n)\.\r\n/)).toHaveLength(1);
    }),
  );
});

test("no line ending that some relay knows leaves a dot alone on a line before the end", () => {
  const word = fc.constantFrom("\r", "\n", ".", "x");
  fc.assert(
    fc.property(fc.array(word, { maxLength: 20 }), (words) => {
      expect(sent(words.join("")).slice(0, -3)).not.toMatch(/(?:^|[\r\n])\.(?:[\r\n]|$)/);
    }),
  );
});

test("a message without such lines is not copied, and a long one goes in groups of which the last has the dot", () => {
  const message = Buffer.from("A line. And more of it.\r\n".repeat(20_000));
  const groups = dataGroups([message]);
  expect(groups.length).toBe(Math.ceil(message.length / 65_536));
  expect(
    groups
      .flat()
      .slice(0, -1)
      .every((part) => part.buffer === message.buffer),
  ).toBe(true);
  expect(groups.at(-1)!.at(-1)!.toString()).toBe(".\r\n");
  expect(Buffer.concat(groups.flat()).length).toBe(message.length + 3);
});
