import { expect, test } from "vitest";
import type { ComingAnswer } from "../../../src/web/api/answers.ts";
import { linksText } from "../../../src/cli/check-links.ts";
import { comingText, changeOf, heldChangeOf } from "../../../src/cli/edition-edit.ts";
import { execute } from "./execute.ts";

const article = (id: number, more: Partial<ComingAnswer["articles"][number]> = {}) => ({
  id,
  title: `Headline ${id}`,
  url: `https://news.site/${id}`,
  summary: "",
  origin: null,
  publishedAt: null,
  tags: ["huawei"],
  leftOut: false,
  placed: false,
  original: null,
  ...more,
});
const shown: ComingAnswer = {
  date: "2026-11-25",
  send: { date: "2026-11-25", at: "2026-11-25T07:00:00Z", note: null },
  timezone: "UTC",
  revision: 3,
  introduction: "One.\n\nTwo.",
  subject: null,
  articles: [
    article(3, { placed: true }),
    article(4, { original: { title: "Headline", summary: "" } }),
    article(5, { leftOut: true }),
  ],
  warmUp: null,
  findings: ["“Headline 4” answers 404."],
};

test.each<[string, Parameters<typeof changeOf>[0], object]>([
  ["nothing", {}, {}],
  ["a lead", { pin: 4 }, { first: [4, 3] }],
  ["an order", { order: [4, 5] }, { first: [4, 5] }],
  ["an order with a lead of its own", { order: [4, 5], pin: 5 }, { first: [5, 4] }],
  ["one more that stays out", { leaveOut: [4] }, { leftOut: [5, 4] }],
  ["one that comes back", { takeBack: [5] }, { leftOut: [] }],
  [
    "own words",
    { title: [{ id: 4, text: "T" }], summary: [{ id: 4, text: "" }] },
    { words: { 4: { title: "T", summary: null } } },
  ],
  ["no subject", { subject: "" }, { subject: null }],
  [
    "a reset with a new lead",
    { reset: true, pin: 5 },
    { introduction: null, subject: null, first: [5], leftOut: [], words: null },
  ],
])("edition edit asks for %s", (_what, options, change) => {
  expect(changeOf(options, shown)).toEqual(change);
});

test("edition edit sends only the changes of a held edition", () => {
  expect(heldChangeOf({ pin: 4, order: [5, 4], leaveOut: [3], hide: [6], title: [{ id: 4, text: "T" }] })).toEqual({
    first: [4, 5],
    leaveOut: [3],
    hide: [6],
    words: { 4: { title: "T" } },
  });
});

test("edition edit shows what was edited", () => {
  const text = comingText(shown, null);
  expect(text).toContain("One. / Two.");
  expect(text).toMatch(/3 +moved +Headline 3/);
  expect(text).toMatch(/4 +reworded +Headline 4/);
  expect(text).toMatch(/^Would be held +“Headline 4” answers 404\.$/m);
  expect(text).toMatch(/5 +left out +Headline 5/);
});

test("edition check-links lists broken links and counts the others", () => {
  const link = {
    id: 3,
    title: "Headline 3",
    url: "https://news.site/3",
    code: null,
    checkedAt: "2026-11-24T07:00:00Z",
  };
  const fine = { ...link, id: 4, verdict: "fine" as const, reason: null };
  expect(linksText({ links: [fine], unchecked: 0 }, null)).toBe("1 of 1 link works.");
  const text = linksText({ links: [fine, { ...link, verdict: "broken", reason: "answers 404" }], unchecked: 2 }, null);
  expect(text).toContain("1 of 2 links works. 2 links not checked.");
  expect(text).toMatch(/3 +broken +answers 404 +Headline 3 +https:/);
});

test.each([
  [["--pin", "first"], /"first" is not an ID/],
  [["--order", "1,x"], /"x" is not an ID/],
  [["--title", "Headline"], /Use ID=TEXT/],
  [["2026-11-24"], /Specify at least one change/],
  [["2026-11-24", "--reset", "--pin", "3"], /cannot be reset/],
])("edition edit %j is wrong usage", async (options, sentence) => {
  const { code, stderr } = await execute(["edition", "edit", ...options], {});
  expect({ code, stderr }).toMatchObject({ code: 2, stderr: expect.stringMatching(sentence) });
});
