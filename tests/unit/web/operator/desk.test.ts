import { describe, expect, test } from "vitest";
import type { Balance, EditionState } from "../../../../src/editions/state.ts";
import { decisions } from "../../../../src/operations/decisions.ts";
import { comingInWords, editionInWords, editionsOfDay, type DayFacts } from "../../../../src/operations/today.ts";
import { barOf } from "../../../../src/web/operator/bar.ts";
import { domainRows } from "../../../../src/web/operator/domains.ts";
import { offeredActs } from "../../../../src/web/operator/edition-acts.ts";
import { plotOf } from "../../../../src/web/operator/plot.ts";
import { shownOf, streamOf } from "../../../../src/web/operator/shown.ts";
import { speed } from "../../../../src/web/operator/speed.ts";
import { span } from "../../../../src/web/operator/format.ts";

function counts(some: Partial<Balance>): Balance {
  const none = { sent: 0, rejected: 0, expired: 0, skipped: 0, unknown: 0, pending: 0, sending: 0, deferred: 0 };
  return { selected: 0, ...none, ...some };
}

const now = new Date("2026-11-24T06:55:00Z");
const quiet: DayFacts = {
  now,
  today: "2026-11-24",
  next: { date: "2026-11-24", at: new Date("2026-11-24T07:00:00Z") },
  due: false,
  skipped: false,
  sendAt: "07:00",
  inWords: span,
  dayInWords: () => "Wednesday 25 November",
};

const wednesday = { date: "2026-11-25", at: new Date("2026-11-25T07:00:00Z") };

test.each<[string, Partial<DayFacts>]>([
  ["Today’s edition will be sent at 07:00, in 5 minutes.", {}],
  ["There is no edition today, and none is scheduled.", { next: null }],
  ["There is no edition today. The next one will be sent on Wednesday 25 November, in 24 hours.", { next: wednesday }],
  [
    "Today’s edition is skipped. The next one will be sent on Wednesday 25 November, in 24 hours.",
    { next: wednesday, skipped: true },
  ],
  ["Today’s edition is due. Its last articles are being collected.", { due: true }],
])("the day in a sentence, before its edition: %s", (sentence, facts) => {
  expect(comingInWords({ ...quiet, ...facts })).toBe(sentence);
});

test.each<[string, EditionState, number, Partial<Balance>, { date?: string; number?: number }?]>([
  ["Today’s edition is being prepared, with 3 articles for 1 reader.", "opening", 1, {}],
  ["Today’s edition is held. 4,812 readers will get it when you approve it.", "held", 4812, {}],
  ["Today’s edition is held. 1 reader will get it when you approve it.", "held", 3, { skipped: 2 }],
  ["Today’s edition is being sent. 3,120 of 4,812 readers have it.", "sending", 4812, { sent: 3120 }],
  ["Today’s edition is paused. 1 of 2 readers has it.", "paused", 2, { sent: 1 }],
  ["Today’s edition was sent to all 2 readers.", "finished", 2, { sent: 2 }],
  ["Today’s edition was sent to 1 of 2 readers.", "finished", 2, { sent: 1, rejected: 1 }],
  ["Today’s edition was sent to nobody because no reader follows any of its tags.", "finished", 0, {}],
  ["Today’s edition was cancelled before it was sent.", "cancelled", 2, { skipped: 2 }],
  ["Today’s edition was missed.", "missed", 0, {}],
  ["There were no articles for an edition today, so nothing was sent.", "empty", 0, {}],
  ["Today’s extra edition (2) had no articles, so nothing more was sent.", "empty", 0, {}, { number: 2 }],
  ["The 2026-11-23 edition is paused. 0 of 2 readers have it.", "paused", 2, {}, { date: "2026-11-23" }],
])("an edition in a sentence: %s", (sentence, state, selected, some, of = {}) => {
  const balance = counts({ selected, ...some });
  const edition = { date: "2026-11-24", number: 1, state, articles: 3, selected, balance, ...of };
  expect(editionInWords(edition, "2026-11-24")).toBe(sentence);
});

test("the day is about the edition that needs an operator most, and about every other one of it or not yet over", () => {
  const one = (name: string, date: string, state: EditionState) => ({ name, date, state });
  const editions = [
    one("extra", "2026-11-24", "sending"),
    one("regular", "2026-11-24", "held"),
    one("yesterday", "2026-11-23", "finished"),
    one("older", "2026-11-22", "paused"),
  ];
  const { lead, others } = editionsOfDay(editions, "2026-11-24");
  expect([lead?.name, others.map(({ name }) => name)]).toEqual(["regular", ["extra", "older"]]);
  expect(editionsOfDay(editions, "2026-11-25")).toEqual({
    lead: null,
    others: [editions[0], editions[1], editions[3]],
  });
});

test("what needs a decision comes with the page on which it is decided, the most pressing first", () => {
  const held = { date: "2026-11-24", number: 2, state: "held" as const, reason_code: "other" as const };
  const found = decisions({
    editions: [
      { ...held, reason_data: { text: "It is far larger than usual." }, balance: counts({}) },
      { ...held, number: 1, state: "finished", reason_code: null, reason_data: null, balance: counts({ unknown: 2 }) },
    ],
    empty: ["The edition of 2026-11-23 is empty."],
    unhealthy: [{ id: 3, title: null, last_error: "the server answered 503" }],
    sources: 1,
    readers: 5,
    relay: null,
    planned: true,
  });
  expect(found.map(({ sentence, path }) => [sentence, path])).toEqual([
    ["Edition 2026-11-24.2 is held. It is far larger than usual.", "/operator/editions/2026-11-24.2"],
    ["The relay did not confirm 2 deliveries of 2026-11-24.", "/operator/editions/2026-11-24?state=unknown#deliveries"],
    ["The edition of 2026-11-23 is empty.", "/operator/sources"],
    ["Source 3 cannot be read: the server answered 503.", "/operator/sources"],
  ]);
  expect(
    decisions({ editions: [], empty: [], unhealthy: [], sources: 1, readers: 1, relay: null, planned: true }),
  ).toEqual([]);
});

describe("actions", () => {
  const labels = (state: EditionState, some: Partial<Balance> & { suppressed?: number }): string[] =>
    offeredActs({
      state,
      selected: 10,
      suppressed: some.suppressed ?? 0,
      balance: counts({ selected: 10, ...some }),
    }).map(({ label }) => label);

  test.each<[EditionState, Partial<Balance> & { suppressed?: number }, string[]]>([
    ["sending", { sent: 4, pending: 6 }, ["Pause sending", "Cancel edition"]],
    ["paused", { sent: 4, pending: 5, deferred: 1 }, ["Resume sending to 6 readers", "Cancel edition"]],
    ["held", {}, ["Approve and send to 10 readers", "Cancel edition"]],
    ["held", { skipped: 9, pending: 1 }, ["Approve and send to 1 reader", "Cancel edition"]],
    ["finished", { sent: 8, rejected: 1, unknown: 1 }, ["Retry 1 failed delivery", "Resend 1 unknown delivery"]],
    ["finished", { sent: 10 }, []],
    ["cancelled", { rejected: 3, suppressed: 3 }, ["Remove 3 suppressions"]],
    ["finished", { rejected: 4, suppressed: 3 }, ["Retry 1 failed delivery", "Remove 3 suppressions"]],
  ])("of an edition that is %s, %o", (state, some, expected) => {
    expect(labels(state, some)).toEqual(expected);
  });
});

test("the bar's parts fill it, whatever the counts", () => {
  const bar = barOf(counts({ sent: 1, rejected: 1, unknown: 1 }));
  expect(bar.reduce((sum, { width }) => sum + Number(width), 0)).toBeCloseTo(100, 1);
  expect(barOf(counts({})).every(({ width }) => width === "0.00")).toBe(true);
});

test("the rate is that of the last half minute, and none while nothing moves", () => {
  const measure = speed();
  expect(measure(counts({ sent: 0, pending: 300 }), 0)).toBeNull();
  expect(measure(counts({ sent: 100, pending: 200 }), 10_000)).toBe("600 per minute, less than a minute left");
  expect(measure(counts({ sent: 100, pending: 200 }), 60_000)).toBeNull();
  // Sent again, it begins anew.
  expect(measure(counts({ sent: 5, pending: 1 }), 61_000)).toBeNull();
});

test("receiving domains in the order they come, each with what is sent, failed and open", () => {
  const rows = domainRows([
    { domain: "b.example", state: "sent", count: 3 },
    { domain: "b.example", state: "unknown", count: 1 },
    { domain: "", state: "sent", count: 9 },
    { domain: "a.example", state: "deferred", count: 2 },
  ]);
  expect(rows).toEqual([
    { domain: "b.example", sent: "3", failed: "1", open: "0" },
    { domain: "a.example", sent: "0", failed: "0", open: "2" },
  ]);
});

test("a page is told of other states than it shows; one about a single edition, of that one until it is over", () => {
  const editions = [
    { id: 8, state: "sending" },
    { id: 7, state: "finished" },
  ] as const;
  expect(streamOf(editions)).toEqual({
    id: "stream-8.sending_7.finished",
    path: "/operator/events?shown=8.sending_7.finished",
  });
  expect([shownOf(editions, 8), shownOf(editions, 7), shownOf(editions, 9)]).toEqual(["8.sending", "", ""]);
});

test("a plot's table begins with the newest, and its words name the highest sum", () => {
  const column = (label: string, sent: number, unknown: number) => ({
    label,
    parts: [
      { kind: "sent", name: "Sent", value: sent },
      { kind: "unknown", name: "Unknown", value: unknown },
    ] as const,
  });
  const about = { id: "outcomes", title: "Deliveries", shape: "bars", of: "Edition" } as const;
  const plot = plotOf(about, [column("2026-11-23", 1, 0), column("2026-11-24", 3000, 1)]);
  expect(plot.words).toBe("Highest value: 3,001 (2026-11-24).");
  expect(plot.rows[0]).toEqual({ label: "2026-11-24", values: ["3,000", "1"] });
  expect(plotOf(about, [])).toMatchObject({ words: "", rows: [] });
});
