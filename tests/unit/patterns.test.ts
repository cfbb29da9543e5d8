import { expect, test } from "vitest";
import { slowTextFor, writtenPatterns } from "../support/slow-patterns.ts";

// Each new pattern must be linear, whatever text it is used on: a length limit in the caller can be forgotten later.
test("every regular expression of the code looks through the worst 100 kB in 100 ms", { timeout: 120_000 }, () => {
  const written = writtenPatterns();
  expect(written.length).toBeGreaterThan(250);
  const atRunTime = written.filter(({ pattern }) => pattern === null).map(({ place }) => place);
  expect(atRunTime, "write these as literals, so that they can be checked").toEqual([]);
  const first = new Map(written.toReversed().map((one) => [String(one.pattern), one]));
  const slow = [...first.values()].flatMap(({ place, pattern }) => {
    const text = pattern && slowTextFor(pattern);
    return text === null ? [] : [`${place} ${String(pattern)} on ${text}`];
  });
  expect(slow).toEqual([]);
});

test.each([
  // Once in src/render/picture.ts: 41 comments were enough.
  /^\uFEFF?\s*(?:<\?xml[^>]*\?>\s*)?(?:<!--.*?-->\s*|<!DOCTYPE[^>[]*>\s*)*(<svg\b[^>]*>)/is,
  // Once in src/sources/parse-origin.ts, for a run of line breaks.
  /(?:^|\n|[.!?…"”’)\]]\s)\s*((?:On the web|Source)\s?[:\uff1a]\s*([^\n]{1,120}))$/i,
  /^([^+]+)(?:\+.*)?@(.+)$/,
  /(?:\/(?:index\.html?)?)+$/i,
  /^(?:"((?:[^"\\]|\\.)*)"|([^<>"]*))\s*<([^<>]*)>$/,
  /^(\d{4})\s*(.*)$/,
  /^to:[ \t]*(.*?)\s*$/im,
  /\S{900}/,
  /^(\w+\s?)*$/,
])("the check finds a slow text for %s", (pattern) => {
  expect(slowTextFor(pattern)).not.toBeNull();
});

test.each([/^\d{1,15}$/, /\s+/g, /(?<!\/)\/+$/, /^https?:\/\/[^\s/]/i])("and none for %s", (pattern) => {
  expect(slowTextFor(pattern)).toBeNull();
});
