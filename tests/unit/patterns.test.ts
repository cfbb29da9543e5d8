import { expect, test } from "vitest";
import { canonicalKey } from "../../src/articles/normalise.ts";
import { cleanTag, tagKey } from "../../src/articles/tags.ts";
import { plainText } from "../../src/articles/text.ts";
import { asciiHost } from "../../src/config/parse-values.ts";
import { httpUrl } from "../../src/render/plain.ts";
import { absoluteUrl } from "../../src/sources/address.ts";
import { parseAddress } from "../../src/base/address.ts";
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
  // Once in src/config/logo.ts: 41 comments were enough.
  /^\uFEFF?\s*(?:<\?xml[^>]*\?>\s*)?(?:<!--.*?-->\s*|<!DOCTYPE[^>[]*>\s*)*(<svg\b[^>]*>)/is,
  // Once in src/sources/parse-item.ts, for a run of line breaks.
  /(?:^|\n|[.!?…"”’)\]]\s)\s*((?:On the web|Source)\s?[:\uff1a]\s*([^\n]{1,120}))$/i,
  /^([^+]+)(?:\+.*)?@(.+)$/,
  /(?:\/(?:index\.html?)?)+$/i,
  /^(?:"((?:[^"\\]|\\.)*)"|([^<>"]*))\s*<([^<>]*)>$/,
  /^(\d{4})\s*(.*)$/,
  /^to:[ \t]*(.*?)\s*$/im,
  /\S{900}/,
  /^(\w+\s?)*$/,
])("the check finds a slow text for %s", { timeout: 60_000 }, (pattern) => {
  expect(slowTextFor(pattern)).not.toBeNull();
});

test.each([/^\d{1,15}$/, /\s+/g, /(?<!\/)\/+$/, /^https?:\/\/[^\s/]/i])("and none for %s", (pattern) => {
  expect(slowTextFor(pattern)).toBeNull();
});

/** Punycode of 100,000 different letters takes 3.4 s, NFC of as many marks in turn 6 s, both quadratically. */
const letters = Array.from({ length: 100_000 }, (_, i) => String.fromCodePoint(0x4e00 + (i % 20_000))).join("");
const marks = `a${"\u0301\u0323".repeat(50_000)}`;

test.each<[string, (text: string) => unknown]>([
  ["parseAddress", (text) => parseAddress(`mina@${text}.example`)],
  ["asciiHost", asciiHost],
  ["httpUrl", (text) => httpUrl(`https://${text}/`)],
  ["absoluteUrl", (text) => absoluteUrl(`//${text}/`, "https://news.example.com/")],
  ["canonicalKey", (text) => canonicalKey(`https://${text}/`)],
  ["tagKey", tagKey],
  ["cleanTag", cleanTag],
  ["plainText", (text) => plainText(text, 500)],
])("%s reads 100 kB of letters or marks in 200 ms of processor time", (_, read) => {
  for (const text of [letters, marks]) {
    const before = process.cpuUsage();
    try {
      read(text);
    } catch {
      // Refusing it is fine.
    }
    expect(process.cpuUsage(before).user / 1_000).toBeLessThan(200);
  }
});
