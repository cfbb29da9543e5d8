import { describe, expect, test } from "vitest";
import {
  explainNoEdition,
  explainWhy,
  type WhyCode,
  type WhyData,
  type WhyFacts,
} from "../../../src/deliveries/why.ts";
import { whyInWords } from "../../../src/texts/editions.ts";
import { textOf } from "../../support/text.ts";

const huawei = { id: 1, name: "huawei" };
const plus = { id: 2, name: "lg u+" };
const frozen = new Date("2026-11-24T06:00:00Z");
const before = new Date("2026-11-23T06:00:00Z");
const after = new Date("2026-11-24T06:30:00Z");
const edition: WhyFacts["edition"] = {
  name: "2026-11-24",
  state: "finished",
  reason: null,
  frozenAt: frozen,
  deliveriesRemoved: false,
  articles: [
    { position: 0, title: "Deal", url: "https://news.example/1", tags: [huawei, plus] },
    { position: 1, title: "Band", url: "https://news.example/2", tags: [plus] },
  ],
};
const reader: WhyFacts["reader"] = {
  status: "active",
  allTags: false,
  tags: [huawei],
  createdAt: before,
  confirmedAt: before,
  leftAt: null,
  pausedUntil: null,
  pausedSince: null,
  pausedFor: null,
  suppressedFor: null,
};
const sent: NonNullable<WhyFacts["delivery"]> = {
  state: "sent",
  attempts: 1,
  outcome: { code: null, data: null, reply: "250 OK" },
  dueAt: null,
  settledAt: frozen,
  tagIds: [2],
  positions: [0, 1],
  inMail: 1,
  outcomes: [],
};

type Case = [string, WhyCode, WhyData, Partial<WhyFacts["edition"]>, Partial<WhyFacts["reader"]>];
const c = {} as const;
const noMatch = { tags: [{ id: 9, name: "5g" }] };
const slept = { code: "other", data: { text: "The service slept." } } as const;

describe("the first reason why a reader got nothing", () => {
  test.each<Case>([
    ["a missed date", "missed", { reason: slept }, { state: "missed", reason: slept }, c],
    ["an empty one", "empty", {}, { state: "empty" }, { createdAt: after }],
    ["one that is being made", "opening", {}, { state: "opening", frozenAt: null }, c],
    ["signed up after the freeze", "not-signed-up", { at: after, frozen }, c, { createdAt: after }],
    ["waiting to confirm", "not-confirmed", { confirmed: "never" }, c, { status: "pending", confirmedAt: null }],
    ["confirmed after the freeze", "not-confirmed", { confirmed: "late", at: after }, c, { confirmedAt: after }],
    ["gone by then", "unsubscribed", { at: before }, c, { status: "unsubscribed", leftAt: before }],
    [
      "suppressed by then",
      "suppressed",
      { at: before, suppressedFor: "complaint" },
      c,
      { status: "suppressed", leftAt: before, suppressedFor: "complaint" },
    ],
    ["a pause", "paused", { at: after }, c, { pausedUntil: after }],
    ["a pause that was over", "no-match", { articles: 2 }, c, { pausedUntil: before, ...noMatch }],
    [
      "no answer to a question",
      "unanswered",
      { at: before, cause: "bounces" },
      c,
      { pausedSince: before, pausedFor: "bounces" },
    ],
    ["paused since, and had no match", "no-match", {}, c, { pausedSince: after, pausedFor: "silence", ...noMatch }],
    ["follows nothing", "no-tags", {}, c, { tags: [] }],
    ["no match", "no-match", { articles: 2, followed: noMatch.tags }, c, noMatch],
    ["left since, and had no match anyway", "no-match", {}, c, { status: "unsubscribed", leftAt: after, ...noMatch }],
    ["tags changed since", "changed-tags", { followed: [huawei], matching: 1, articles: 2 }, c, c],
    ["the deliveries are gone", "deliveries-removed", {}, { deliveriesRemoved: true }, c],
    [
      "signed up outcomes, that much is known",
      "not-signed-up",
      { at: after },
      { deliveriesRemoved: true },
      { createdAt: after },
    ],
    ["all news since", "changed-tags", { followed: "all", matching: 2 }, c, { allTags: true, tags: [] }],
  ])("%s", (_what, code, data, editionPart, readerPart) => {
    const facts = { edition: { ...edition, ...editionPart }, reader: { ...reader, ...readerPart }, delivery: null };
    const why = explainWhy(facts);
    expect(why).toMatchObject({ code, data, articles: [] });
    expect(whyInWords(why, "Europe/Berlin")).not.toMatch(/none|undefined|null/);
  });
});

describe("what became of a delivery", () => {
  const bounced = { code: null, data: null, reply: "550 5.1.1 no such user" };
  const late = { code: "not_sent_in_time", data: {}, reply: null } as const;
  test.each<[Partial<typeof sent>, WhyData, Partial<WhyFacts["edition"]>]>([
    [{}, { at: frozen }, c],
    [{ state: "rejected", outcome: bounced }, { outcome: bounced }, c],
    [{ state: "deferred", attempts: 2, dueAt: after }, { attempts: 2, at: after }, c],
    [{ state: "expired", outcome: late }, { outcome: late, attempts: 1 }, c],
    [{ state: "unknown" }, {}, c],
    [{ state: "skipped" }, {}, c],
    [{ state: "sending" }, {}, c],
    [{ state: "pending" }, { at: null }, { state: "sending" }],
    [{ state: "pending", dueAt: after }, { at: after }, { state: "sending" }],
    [{ state: "pending" }, { editionState: "paused", reason: slept }, { state: "paused", reason: slept }],
    [{ state: "pending" }, { editionState: "held" }, { state: "held" }],
    [{ state: "pending" }, { editionState: "opening" }, { state: "opening" }],
  ])("%j", (part, data, editionPart) => {
    const why = explainWhy({ edition: { ...edition, ...editionPart }, reader, delivery: { ...sent, ...part } });
    expect(why).toMatchObject({ code: part.state ?? "sent", data });
    expect(whyInWords(why, "Europe/Berlin")).not.toMatch(/none|undefined|null/);
  });

  test("each article says which tags brought it, and whether it had room", () => {
    const told = (delivery: typeof sent) => explainWhy({ edition, reader, delivery }).articles;
    expect(told(sent)).toMatchObject([
      { title: "Deal", because: ["lg u+"], inMail: true },
      { title: "Band", because: ["lg u+"], inMail: false },
    ]);
    expect(told({ ...sent, tagIds: [] }).map((article) => article.because)).toEqual([[], []]);
  });
});

test.each([
  ["date-skipped", { skipped: true }],
  ["no-send-day", { dueAt: null }],
  ["not-due", { dueAt: new Date("2026-11-25T07:00:00Z") }],
  ["before-start", { dueAt: new Date("2026-11-22T07:00:00Z") }],
  ["not-opened", {}],
] as const)("a date without an edition: %s", (code, part) => {
  const facts = { date: "2026-11-24", now: after, dueAt: frozen, skipped: false, since: before };
  expect(explainNoEdition({ ...facts, ...part })).toMatchObject({ code, data: { edition: "2026-11-24" } });
});

test("in words, times are in the edition's zone, and the outcome and hidden tags have their own texts", () => {
  const outcome = { code: "timeout", data: { seconds: 60 }, reply: null } as const;
  expect(whyInWords({ code: "rejected", data: { at: frozen, outcome } }, "Europe/Berlin")).toBe(
    textOf("why.rejected", {
      at: "2026-11-24 07:00 Europe/Berlin",
      detail: textOf("outcome.timeout", { seconds: 60 }),
    }),
  );
  const hidden = { followed: [{ ...plus, hidden: true }], articles: 2, edition: "2026-11-24" };
  const tags = textOf("why.hidden_tag", { tag: plus.name });
  expect(whyInWords({ code: "no-match", data: hidden }, "UTC")).toContain(tags);
});
