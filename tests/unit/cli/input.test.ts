import { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import fc from "fast-check";
import { expect, test } from "vitest";
import { peek } from "../../../src/cli/input.ts";
import { bar, startProgress, recordingTerminal } from "../../../src/cli/terminal.ts";

test.each([
  ["address,tags\n", "a"],
  ['\ufeff \n{"address":"a@b.example"}', "{"],
  ["", ""],
])("the first character of %j is %j", async (given, first) => {
  expect((await peek(Readable.from([Buffer.from(given)]))).first).toBe(first);
});

test("an endless stream of white space is read only in part", async () => {
  let read = 0;
  const blank = (async function* () {
    for (;;) {
      read += 64_000;
      yield Buffer.alloc(64_000, " ");
    }
  })();
  expect((await peek(blank)).first).toBe("");
  expect(read).toBeLessThan(2_000_000);
});

test("peeking loses no bytes", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.string({ minLength: 1 })), async (chunks) => {
      const { whole } = await peek(Readable.from(chunks.map((chunk) => Buffer.from(chunk))));
      expect(await text(whole)).toBe(chunks.join(""));
    }),
  );
});

test("without a terminal, progress is a plain line for every 10 %", () => {
  const terminal = recordingTerminal();
  const progress = startProgress(terminal, "list.csv");
  for (let done = 0; done <= 1_000; done += 1) progress.show(done, 1_000, `${done} sent`);
  progress.end();
  expect(terminal.stderr().split("\n")).toHaveLength(12);
  for (const steering of ["\r", "\u001b"]) expect(terminal.stderr()).not.toContain(steering);
});

test.each([
  [0, 0, "  0 %"],
  [1, 3, " 33 %"],
  [7, 7, "100 %"],
  [9, 7, "100 %"],
])("%i of %i is %s", (done, total, share) => {
  expect(bar(done, total)).toMatch(new RegExp(`^[█░]{24} ${share}$`));
});
