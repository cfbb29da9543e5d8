import type { Balance } from "../../../../src/ledger/balance.ts";
import type { EditionState } from "../../../../src/editions/state.ts";
import {
  decisions,
  comingDay,
  editionProgress,
  editionsOfDay,
  type ComingDay,
  type DayFacts,
} from "../../../../src/alerts/today.ts";
import { comingText, progressText, showDecision } from "../../../../src/web/operator/day-text.ts";
import type { MessageKey } from "../../../../src/texts/catalogue.ts";
import { describe, expect, test } from "vitest";
import { barOf, domainRows, speed } from "../../../../src/web/operator/progress.ts";
import { offeredActs } from "../../../../src/web/operator/edition-acts.ts";
import { plotOf } from "../../../../src/web/operator/numbers.ts";
import { shownOf, streamOf } from "../../../../src/web/operator/live.ts";
import { textOf } from "../../../support/text.ts";

function counts(some: Partial<Balance>): Balance {
  const none = { sent: 0, rejected: 0, expired: 0, skipped: 0, unknown: 0, pending: 0, sending: 0, deferred: 0 };
  return { selected: 0, ...none, ...some };
}

const soon = { date: "2026-11-24", at: new Date("2026-11-24T07:00:00Z") };
const quiet: DayFacts = { today: "2026-11-24", next: soon, due: false, skipped: false };
const wednesday = { date: "2026-11-25", at: new Date("2026-11-25T07:00:00Z") };

test.each<[ComingDay, Partial<DayFacts>]>([
  [{ code: "today", at: soon.at }, {}],
  [{ code: "none" }, { next: null }],
  [{ code: "later", at: wednesday.at }, { next: wednesday }],
  [
    { code: "later_skipped", at: wednesday.at },
    { next: wednesday, skipped: true },
  ],
  [{ code: "due" }, { due: true }],
])("a day without an edition is %o", (coming, facts) => {
  expect(comingDay({ ...quiet, ...facts })).toEqual(coming);
});

test("a day without an edition in a sentence", () => {
  const say = { now: new Date("2026-11-24T06:55:00Z"), sendAt: "07:00", dayOf: () => "Wednesday 25 November" };
  expect(comingText({ code: "today", at: soon.at }, say)).toBe(
    textOf("coming.today", { time: "07:00", wait: "5 minutes" }),
  );
  expect(comingText({ code: "later_skipped", at: wednesday.at }, say)).toBe(
    textOf("coming.later_skipped", { day: "Wednesday 25 November", wait: "24 hours" }),
  );
});

test.each<[MessageKey, EditionState, number, Partial<Balance>, object, { number?: number }?]>([
  ["progress.opening", "opening", 1, {}, { articles: 3, readers: 1 }],
  ["progress.held", "held", 4812, {}, { readers: 4812 }],
  ["progress.held", "held", 3, { skipped: 2 }, { readers: 1 }],
  ["progress.sending", "sending", 4812, { sent: 3120 }, { sent: 3120, readers: 4812 }],
  ["progress.paused", "paused", 2, { sent: 1 }, { sent: 1, readers: 2 }],
  ["progress.finished_for_all", "finished", 2, { sent: 2 }, { sent: 2, readers: 2 }],
  ["progress.finished_for_some", "finished", 2, { sent: 1, rejected: 1 }, { sent: 1, readers: 2 }],
  ["progress.finished_for_nobody", "finished", 0, {}, {}],
  ["progress.cancelled_unsent", "cancelled", 2, { skipped: 2 }, {}],
  ["progress.cancelled", "cancelled", 2, { sent: 1, skipped: 1 }, { sent: 1, readers: 2 }],
  ["progress.missed", "missed", 0, {}, {}],
  ["progress.empty", "empty", 0, {}, {}],
  ["progress.empty_extra", "empty", 0, {}, {}, { number: 2 }],
])("the progress is %s for an edition that is %s", (key, state, selected, some, values, of = {}) => {
  const balance = counts({ selected, ...some });
  const edition = { date: "2026-11-24", number: 1, state, articles: 3, selected, balance, ...of };
  expect(editionProgress(edition)).toEqual({ key, values });
});

test("the progress names the edition by the day", () => {
  const edition = {
    date: "2026-11-23",
    number: 2,
    state: "missed",
    articles: 0,
    selected: 0,
    balance: counts({}),
  } as const;
  const named = textOf("progress.extra", { day: "other", date: "2026-11-23", number: 2 });
  expect(progressText(edition, "2026-11-24")).toBe(textOf("progress.missed", { edition: named }));
});

test("the page of a day leads with its most urgent edition, and shows the others of the day and active older ones", () => {
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

test("decisions have the page for them, most urgent first", () => {
  const held = { date: "2026-11-24", number: 2, state: "held" as const, reason_code: "other" as const };
  const found = decisions({
    editions: [
      { ...held, reason_data: { text: "It is far larger than usual." }, balance: counts({}) },
      { ...held, number: 1, state: "finished", reason_code: null, reason_data: null, balance: counts({ unknown: 2 }) },
    ],
    empty: ["The edition of 2026-11-23 is empty."],
    unhealthy: [{ id: 3, title: null, read_error: { text: "The server answered 503." } }],
    sources: 1,
    readers: 5,
    relay: null,
    planned: true,
  });
  expect(found.map(({ code }) => code)).toEqual([
    "edition_held",
    "outcomes_unknown",
    "edition_empty",
    "source_failing",
  ]);
  expect(found.map(showDecision)).toEqual([
    {
      sentence: textOf("decision.edition_held", { edition: "2026-11-24.2", reason: "It is far larger than usual." }),
      path: "/operator/editions/2026-11-24.2",
      label: textOf("decision.review_edition"),
    },
    {
      sentence: textOf("decision.outcomes_unknown", { n: 2, edition: "2026-11-24" }),
      path: "/operator/editions/2026-11-24?state=unknown#deliveries",
      label: textOf("decision.resend"),
    },
    {
      sentence: "The edition of 2026-11-23 is empty.",
      path: "/operator/sources",
      label: textOf("decision.review_sources"),
    },
    {
      sentence: textOf("decision.source_failing", {
        named: "no",
        id: 3,
        title: "",
        reason: "The server answered 503.",
      }),
      path: "/operator/sources",
      label: textOf("decision.review_sources"),
    },
  ]);
  expect(
    decisions({ editions: [], empty: [], unhealthy: [], sources: 1, readers: 1, relay: null, planned: true }),
  ).toEqual([]);
});

describe("actions", () => {
  type Some = Partial<Balance> & { suppressed?: number; retryable?: number };
  const offered = (state: EditionState, some: Some) =>
    offeredActs({
      state,
      selected: 10,
      final_counts: null,
      suppressed: some.suppressed ?? 0,
      retryable: some.retryable ?? 0,
      balance: counts({ selected: 10, ...some }),
    }).map(({ action, n }) => [action, n]);

  test.each<[EditionState, Some, [string, number][]]>([
    [
      "sending",
      { sent: 4, pending: 6 },
      [
        ["pause", 6],
        ["cancel", 6],
      ],
    ],
    [
      "paused",
      { sent: 4, pending: 5, deferred: 1 },
      [
        ["resume", 6],
        ["cancel", 6],
      ],
    ],
    [
      "held",
      {},
      [
        ["approve", 10],
        ["cancel", 10],
      ],
    ],
    [
      "held",
      { skipped: 9, pending: 1 },
      [
        ["approve", 1],
        ["cancel", 1],
      ],
    ],
    [
      "finished",
      { sent: 8, rejected: 1, unknown: 1, retryable: 1 },
      [
        ["retry", 1],
        ["resend-unknown", 1],
      ],
    ],
    ["finished", { sent: 10 }, []],
    [
      "finished",
      { sent: 6, rejected: 4, suppressed: 3, retryable: 3 },
      [
        ["retry", 3],
        ["unsuppress", 3],
      ],
    ],
    ["cancelled", { rejected: 3, suppressed: 3 }, [["unsuppress", 3]]],
    ["finished", { rejected: 3, suppressed: 3 }, [["unsuppress", 3]]],
    [
      "finished",
      { rejected: 4, suppressed: 3, retryable: 1 },
      [
        ["retry", 1],
        ["unsuppress", 3],
      ],
    ],
  ])("an edition that is %s with %o offers %j", (state, some, expected) => {
    expect(offered(state, some)).toEqual(expected);
  });
});

test("the parts of a bar fill it, whatever the counts", () => {
  const bar = barOf(counts({ sent: 1, rejected: 1, unknown: 1 }));
  expect(bar.reduce((sum, { width }) => sum + Number(width), 0)).toBeCloseTo(100, 1);
  expect(barOf(counts({})).every(({ width }) => width === "0.00")).toBe(true);
});

test("the rate covers the last half minute, and is absent while nothing is sent", () => {
  const measure = speed();
  expect(measure(counts({ sent: 0, pending: 300 }), 0)).toBeNull();
  expect(measure(counts({ sent: 100, pending: 200 }), 10_000)).toBe(
    textOf("edition.rate_left", { n: 600, left: textOf("span.less") }),
  );
  expect(measure(counts({ sent: 100, pending: 200 }), 60_000)).toBeNull();
  // Deliveries that are sent again restart the measurement.
  expect(measure(counts({ sent: 5, pending: 1 }), 61_000)).toBeNull();
});

test("receiving domains keep their order, each with its sent, failed and open deliveries", () => {
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

test("a page hears of states that differ from those it shows; a page of one edition, until that edition is closed", () => {
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

test("the table of a plot starts with the newest row, and its summary names the highest sum", () => {
  const column = (label: string, sent: number, unknown: number) => ({
    label,
    parts: [
      { kind: "sent", name: "Sent", value: sent },
      { kind: "unknown", name: "Unknown", value: unknown },
    ] as const,
  });
  const about = { id: "outcomes", title: "Deliveries", shape: "bars", of: "Edition" } as const;
  const plot = plotOf(about, [column("2026-11-23", 1, 0), column("2026-11-24", 3000, 1)]);
  expect(plot.summary).toBe(textOf("statistics.highest", { n: "3,001", label: "2026-11-24" }));
  expect(plot.rows[0]).toEqual({ label: "2026-11-24", values: ["3,000", "1"] });
  expect(plotOf(about, [])).toMatchObject({ summary: "", rows: [] });
});
