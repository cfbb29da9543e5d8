import { describe, expect, test } from "vitest";
import { explainWhy, type WhyCode, type WhyFacts } from "../../../src/deliveries/why.ts";

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
  timezone: "Europe/Berlin",
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
  suppressedFor: null,
};
const sent: NonNullable<WhyFacts["delivery"]> = {
  state: "sent",
  attempts: 1,
  reply: "250 OK",
  dueAt: null,
  settledAt: frozen,
  tagIds: [2],
  positions: [0, 1],
  inMail: 1,
};

type Case = [string, WhyCode, RegExp, Partial<WhyFacts["edition"]>, Partial<WhyFacts["reader"]>];
const c = {} as const;
const noMatch = { tags: [{ id: 9, name: "5g" }] };

describe("the first reason why a reader got nothing", () => {
  test.each<Case>([
    ["a missed date", "missed", /hour was missed\. The service/, { state: "missed", reason: "The service slept." }, c],
    ["an empty one", "empty", /nothing to send/, { state: "empty" }, { createdAt: after }],
    ["one that is being made", "opening", /being made/, { state: "opening", frozenAt: null }, c],
    [
      "signed up after the freeze",
      "not-signed-up",
      /signed up at 2026-11-24 07:30 Europe\/Berlin/,
      c,
      { createdAt: after },
    ],
    ["waiting to confirm", "not-confirmed", /have not confirmed/, c, { status: "pending", confirmedAt: null }],
    [
      "confirmed after the freeze",
      "not-confirmed",
      /confirmed at .*07:30.*fixed at .*07:00/,
      c,
      { confirmedAt: after },
    ],
    ["gone by then", "unsubscribed", /had unsubscribed at/, c, { status: "unsubscribed", leftAt: before }],
    [
      "suppressed by then",
      "suppressed",
      /\(complaint\)/,
      c,
      { status: "suppressed", leftAt: before, suppressedFor: "complaint" },
    ],
    ["a pause", "paused", /pause their mails until .*07:30/, c, { pausedUntil: after }],
    ["a pause that was over", "no-match", /None of the 2/, c, { pausedUntil: before, ...noMatch }],
    ["follows nothing", "no-tags", /follow no tags/, c, { tags: [] }],
    ["no match", "no-match", /None of the 2 articles .*\(5g\)/, c, noMatch],
    [
      "left since, and had no match anyway",
      "no-match",
      /None/,
      c,
      { status: "unsubscribed", leftAt: after, ...noMatch },
    ],
    ["tags changed since", "changed-tags", /\(huawei\) matches 1 of its 2 articles/, c, c],
    ["all news since", "changed-tags", /\(all news\) matches 2 of its 2/, c, { allTags: true, tags: [] }],
  ])("%s", (_what, code, sentence, editionPart, readerPart) => {
    const facts = { edition: { ...edition, ...editionPart }, reader: { ...reader, ...readerPart }, delivery: null };
    expect(explainWhy(facts)).toEqual({ code, sentence: expect.stringMatching(sentence), articles: [] });
  });
});

describe("what became of a delivery", () => {
  const bounced = "550 5.1.1 no such user";
  test.each<[Partial<typeof sent>, RegExp, Partial<WhyFacts["edition"]>]>([
    [{}, /^The relay took it at 2026-11-24 07:00 Europe\/Berlin: 250 OK\.$/, c],
    [{ state: "rejected", reply: bounced }, /^It was refused for good at .*: 550 5\.1\.1 no such user\.$/, c],
    [
      { state: "unknown", reply: "the connection broke" },
      /^Nobody knows whether it arrived: the connection broke\. It is/,
      c,
    ],
    [
      { state: "deferred", attempts: 2, dueAt: after, reply: "451 later" },
      /after 2 tries: 451 later\. The next comes at .*07:30/,
      c,
    ],
    [{ state: "expired", reply: "not sent in time" }, /given up .* after one try: not sent in time\.$/, c],
    [{ state: "skipped", reply: "subscriber is unsubscribed" }, /left out at .*: subscriber is unsubscribed\.$/, c],
    [{ state: "sending", reply: null }, /at this moment/, c],
    [{ state: "pending", reply: null }, /waits for its turn/, { state: "sending" }],
    [{ state: "pending", reply: null, dueAt: after }, /^It leaves at .*07:30/, { state: "sending" }],
    [{ state: "pending", reply: null }, /paused\. Too many\.$/, { state: "paused", reason: "Too many." }],
    [{ state: "pending", reply: null }, /approves it/, { state: "held" }],
    [{ state: "pending", reply: null }, /being made/, { state: "opening" }],
  ])("%j", (part, sentence, editionPart) => {
    const why = explainWhy({ edition: { ...edition, ...editionPart }, reader, delivery: { ...sent, ...part } });
    expect(why).toMatchObject({ code: part.state ?? "sent", sentence: expect.stringMatching(sentence) });
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
