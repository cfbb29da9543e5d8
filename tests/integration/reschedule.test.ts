import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { openEditionJob } from "../../jobs/open-edition.ts";
import type { App } from "../../src/app.ts";
import { cronPattern, nextSends } from "../../src/schedule/calendar.ts";
import { setSchedules } from "../../src/schedule/schedulers.ts";
import { changeMove, changeSchedule, changeSkips } from "../../src/editions/change-schedule.ts";
import type { PassedChoice } from "../../src/schedule/next-edition.ts";
import { parseDates } from "../../src/base/schedule-values.ts";
import { loadSchedule, revisionOf, saveSchedule, type ScheduleChange } from "../../src/schedule/store.ts";
import { movedClock } from "../support/clock.ts";
import { allEngines } from "../support/engines.ts";
import { openTwoNodes, type TwoNodes } from "../support/two-nodes.ts";

const hour = 3_600_000;

interface Step {
  at: string;
  set?: ScheduleChange;
  passed?: PassedChoice;
  /** Dates, ranges and lists of them. */
  skip?: string;
  unskip?: string;
  /** One date, and its time; null for the usual one again. */
  move?: [date: string, time: string | null];
  /** What the operator is told instead of having it done. */
  refused?: string;
}

interface Row {
  /** Zone and time at the start. */
  by: [timezone: string, sendAt: string];
  start: string;
  until: string;
  steps: Step[];
  /** The instants, in UTC, at which the editions of these dates are opened: each once, and no other. */
  opened: Record<string, string>;
  /** Dates whose time had passed for good, and which have that as their reason. */
  missed?: string[];
  /** The queue's cron parser jumps over a date: it is opened all the same. */
  cronIsWrong?: true;
}

const zone = (timezone: string): ScheduleChange => ({ timezone });
const time = (sendAt: string): ScheduleChange => ({ sendAt });

// Dates of the clock changes are those of the IANA database: zdump -v.
const rows: Record<string, Row> = {
  "Berlin jumps over 02:30 on 29 March, and the hour is moved to 03:30 the day before": {
    by: ["Europe/Berlin", "02:30"],
    start: "2026-03-27T12:00Z",
    until: "2026-03-30T12:00Z",
    steps: [{ at: "2026-03-28T12:00Z", set: time("03:30") }],
    opened: { "2026-03-28": "2026-03-28T01:30Z", "2026-03-29": "2026-03-29T01:30Z", "2026-03-30": "2026-03-30T01:30Z" },
  },
  "Cairo has no midnight on 24 April, and keeps it when a date after it is moved": {
    by: ["Africa/Cairo", "00:00"],
    start: "2026-04-22T12:00Z",
    until: "2026-04-26T12:00Z",
    steps: [{ at: "2026-04-22T12:00Z", move: ["2026-04-25", "06:00"] }],
    opened: {
      "2026-04-23": "2026-04-22T22:00Z",
      "2026-04-24": "2026-04-23T22:00Z",
      "2026-04-25": "2026-04-25T03:00Z",
      "2026-04-26": "2026-04-25T21:00Z",
    },
  },
  "Cairo has 23:30 twice on 29 October, and the hour is moved earlier between the two": {
    by: ["Africa/Cairo", "23:30"],
    start: "2026-10-28T12:00Z",
    until: "2026-10-31T12:00Z",
    steps: [{ at: "2026-10-29T21:15Z", set: time("23:00") }],
    opened: { "2026-10-28": "2026-10-28T20:30Z", "2026-10-29": "2026-10-29T20:30Z", "2026-10-30": "2026-10-30T21:00Z" },
  },
  "from Beirut, the night its midnight is gone, to Santiago": {
    by: ["Asia/Beirut", "00:30"],
    start: "2026-03-27T12:00Z",
    until: "2026-03-31T12:00Z",
    steps: [{ at: "2026-03-29T06:00Z", set: zone("America/Santiago") }],
    opened: {
      "2026-03-28": "2026-03-27T22:30Z",
      "2026-03-29": "2026-03-28T22:00Z",
      "2026-03-30": "2026-03-30T03:30Z",
      "2026-03-31": "2026-03-31T03:30Z",
    },
  },
  "Santiago has no midnight on 6 September, and the date is moved to it and away again": {
    by: ["America/Santiago", "06:00"],
    start: "2026-09-04T12:00Z",
    until: "2026-09-07T12:00Z",
    steps: [
      { at: "2026-09-05T12:00Z", move: ["2026-09-06", "00:30"] },
      { at: "2026-09-05T13:00Z", move: ["2026-09-07", "00:00"] },
      { at: "2026-09-05T14:00Z", move: ["2026-09-07", null] },
    ],
    opened: { "2026-09-05": "2026-09-05T10:00Z", "2026-09-06": "2026-09-06T04:00Z", "2026-09-07": "2026-09-07T09:00Z" },
  },
  "Lord Howe jumps over half an hour at 02:00 on 4 October": {
    by: ["Australia/Lord_Howe", "02:00"],
    start: "2026-10-02T12:00Z",
    until: "2026-10-05T12:00Z",
    cronIsWrong: true,
    steps: [{ at: "2026-10-03T12:00Z", set: time("02:15") }],
    opened: { "2026-10-03": "2026-10-02T15:30Z", "2026-10-04": "2026-10-03T15:30Z", "2026-10-05": "2026-10-04T15:15Z" },
  },
  "Lord Howe has 01:45 twice on 5 April": {
    by: ["Australia/Lord_Howe", "07:00"],
    start: "2026-04-03T12:00Z",
    until: "2026-04-06T12:00Z",
    steps: [{ at: "2026-04-03T23:00Z", set: time("01:45") }],
    opened: { "2026-04-04": "2026-04-03T20:00Z", "2026-04-05": "2026-04-04T14:45Z", "2026-04-06": "2026-04-05T15:15Z" },
  },
  "Apia never had 30 December 2011, and nobody can move it, nor skip its way past it": {
    by: ["Pacific/Apia", "07:00"],
    start: "2011-12-28T12:00Z",
    until: "2012-01-01T12:00Z",
    steps: [
      { at: "2011-12-28T12:00Z", move: ["2011-12-30", "09:00"], refused: "date_not_scheduled" },
      { at: "2011-12-29T00:00Z", skip: "2011-12-29" },
      { at: "2011-12-29T01:00Z", unskip: "2011-12-29" },
    ],
    opened: {
      "2011-12-28": "2011-12-28T17:00Z",
      "2011-12-29": "2011-12-29T17:00Z",
      "2011-12-31": "2011-12-30T17:00Z",
      "2012-01-01": "2011-12-31T17:00Z",
    },
  },
  "from Apia on the evening before the lost day, to Honolulu": {
    by: ["Pacific/Apia", "07:00"],
    start: "2011-12-28T12:00Z",
    until: "2012-01-01T20:00Z",
    steps: [{ at: "2011-12-30T06:00Z", set: zone("Pacific/Honolulu") }],
    opened: {
      "2011-12-28": "2011-12-28T17:00Z",
      "2011-12-29": "2011-12-29T17:00Z",
      "2011-12-30": "2011-12-30T17:00Z",
      "2011-12-31": "2011-12-31T17:00Z",
      "2012-01-01": "2012-01-01T17:00Z",
    },
  },
  "east over the date line, after the day's edition: the next date has passed, and is sent because somebody says so": {
    by: ["Pacific/Niue", "07:00"],
    start: "2026-11-24T12:00Z",
    until: "2026-11-26T20:00Z",
    steps: [
      { at: "2026-11-24T19:00Z", set: zone("Pacific/Kiritimati"), refused: "passed_date_undecided" },
      { at: "2026-11-24T19:00Z", set: zone("Pacific/Kiritimati"), passed: "send" },
    ],
    opened: {
      "2026-11-24": "2026-11-24T18:00Z",
      "2026-11-25": "2026-11-24T19:00Z",
      "2026-11-26": "2026-11-25T17:00Z",
      "2026-11-27": "2026-11-26T17:00Z",
    },
  },
  "east over the date line, before the day's edition: of the two dates that have passed one is sent": {
    by: ["Pacific/Niue", "07:00"],
    start: "2026-11-24T12:00Z",
    until: "2026-11-26T12:00Z",
    steps: [{ at: "2026-11-24T17:30Z", set: zone("Pacific/Kiritimati"), passed: "send" }],
    opened: { "2026-11-25": "2026-11-24T17:30Z", "2026-11-26": "2026-11-25T17:00Z" },
    missed: ["2026-11-24"],
  },
  "west over the date line: no date comes twice": {
    by: ["Pacific/Kiritimati", "07:00"],
    start: "2026-11-24T12:00Z",
    until: "2026-11-27T20:00Z",
    steps: [{ at: "2026-11-24T18:00Z", set: zone("Pacific/Niue") }],
    opened: { "2026-11-25": "2026-11-24T17:00Z", "2026-11-26": "2026-11-26T18:00Z", "2026-11-27": "2026-11-27T18:00Z" },
  },
  "there and back again within the hour": {
    by: ["UTC", "07:00"],
    start: "2026-11-24T06:00Z",
    until: "2026-11-26T12:00Z",
    steps: [
      { at: "2026-11-24T07:10Z", set: zone("Pacific/Kiritimati") },
      { at: "2026-11-24T07:20Z", set: zone("Pacific/Niue") },
      { at: "2026-11-24T07:30Z", set: zone("Asia/Seoul") },
      { at: "2026-11-24T07:40Z", set: { timezone: null } },
    ],
    opened: { "2026-11-24": "2026-11-24T07:00Z", "2026-11-25": "2026-11-25T07:00Z", "2026-11-26": "2026-11-26T07:00Z" },
  },
  "earlier, then later, on the morning itself": {
    by: ["Europe/Berlin", "07:00"],
    start: "2026-11-24T03:00Z",
    until: "2026-11-25T12:00Z",
    steps: [
      { at: "2026-11-24T04:00Z", set: time("06:00") },
      { at: "2026-11-24T04:30Z", set: time("09:00") },
    ],
    opened: { "2026-11-24": "2026-11-24T08:00Z", "2026-11-25": "2026-11-25T08:00Z" },
  },
  "to an hour that has passed: nothing is sent by surprise": {
    by: ["Europe/Berlin", "09:00"],
    start: "2026-11-24T03:00Z",
    until: "2026-11-25T12:00Z",
    steps: [
      { at: "2026-11-24T06:30Z", set: time("07:00"), refused: "passed_date_undecided" },
      { at: "2026-11-24T06:40Z", set: time("07:00"), passed: "skip" },
    ],
    opened: { "2026-11-25": "2026-11-25T06:00Z" },
  },
  "to an hour that passed too long ago to be sent late": {
    by: ["UTC", "23:00"],
    start: "2026-11-24T12:00Z",
    until: "2026-11-26T12:00Z",
    steps: [
      {
        at: "2026-11-24T22:00Z",
        set: time("07:00"),
        passed: "send",
        refused: "passed_date_too_old",
      },
      { at: "2026-11-24T22:10Z", set: time("07:00"), passed: "skip" },
    ],
    opened: { "2026-11-25": "2026-11-25T07:00Z", "2026-11-26": "2026-11-26T07:00Z" },
  },
  "holidays by a list with a range, one put back, and a past one not": {
    by: ["UTC", "07:00"],
    start: "2026-12-23T12:00Z",
    until: "2026-12-28T12:00Z",
    steps: [
      { at: "2026-12-23T12:00Z", skip: "2026-12-24..2026-12-26, 2026-12-28" },
      { at: "2026-12-25T06:00Z", unskip: "2026-12-26" },
      { at: "2026-12-25T08:00Z", unskip: "2026-12-25", refused: "skipped_date_due" },
      { at: "2026-12-26T08:00Z", unskip: "2026-12-24", refused: "date_passed" },
      { at: "2026-12-26T08:00Z", skip: "2026-12-26", refused: "date_has_edition" },
    ],
    opened: { "2026-12-26": "2026-12-26T07:00Z", "2026-12-27": "2026-12-27T07:00Z" },
  },
  "to other days of the week": {
    by: ["America/New_York", "07:00"],
    start: "2026-10-30T00:00Z",
    until: "2026-11-03T18:00Z",
    steps: [
      { at: "2026-10-30T15:00Z", set: { sendDays: [7, 1] } },
      { at: "2026-11-01T15:00Z", set: { sendDays: [1, 2, 3], sendAt: "08:00" } },
    ],
    opened: {
      "2026-10-30": "2026-10-30T11:00Z",
      "2026-11-01": "2026-11-01T12:00Z",
      "2026-11-02": "2026-11-02T13:00Z",
      "2026-11-03": "2026-11-03T13:00Z",
    },
  },
};

describe.each(allEngines)("a schedule that changes under two nodes, on $name", (engines) => {
  const clock = movedClock("2026-11-24T12:00Z");
  let two: TwoNodes;
  beforeAll(async () => {
    two = await openTwoNodes(engines, clock);
    // The queue has no clock of ours: it asks Date when the next wake-up is.
    vi.useFakeTimers({ toFake: ["Date"] });
  });
  afterAll(async () => {
    vi.useRealTimers();
    await two?.close();
  });
  const setClock = (instant: Date): void => {
    clock.set(instant);
    vi.setSystemTime(instant);
  };

  test.each(Object.entries(rows))("%s", async (_what, row) => {
    await begin(row);
    const known = Object.values(row.opened).map((at) => new Date(at).getTime());
    const steps = row.steps.map((step) => ({ step, at: new Date(step.at).getTime() }));
    const looks = new Set([...everySixHours(row), ...known, ...known.map((at) => at - 60_000)]);
    for (const { at } of steps) looks.add(at);
    let turn = 0;
    for (const at of [...looks].toSorted((a, b) => a - b)) {
      setClock(new Date(at));
      for (const { step } of steps.filter((one) => one.at === at)) {
        await take(two.nodes[turn++ % 2]!, step);
        await schedulersAgree(!row.cronIsWrong && step.set !== undefined && step.refused === undefined);
      }
      const both = known.includes(at) || steps.some((one) => one.at === at);
      await Promise.all((both ? two.nodes : two.nodes.slice(0, 1)).map((node) => openEditionJob(node)));
    }
    expect(await opened(), "opened at their instants, once").toEqual(inFull(row.opened));
    expect(await missed()).toEqual((row.missed ?? []).map((date) => [date, "missed_schedule_changed"]));
  });

  test("two operators who change it at once, each on a node: one wins, the other is told", async () => {
    await begin({ by: ["UTC", "07:00"], start: "2026-11-24T12:00Z" });
    // Both have seen the same schedule. Without that, the second request may begin when the first is done.
    const revision = revisionOf(await loadSchedule(two.nodes[0].db));
    const asked = await Promise.allSettled(
      two.nodes.map((node, n) => changeSchedule(node, time(`0${n + 8}:00`), { actor: `operator ${n}`, revision })),
    );
    const lost = asked.findIndex(({ status }) => status === "rejected");
    expect(asked.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
    expect((asked[lost] as PromiseRejectedResult).reason).toMatchObject({
      code: "schedule_changed",
      details: { actor: `operator ${1 - lost}` },
    });
    await schedulersAgree(true);
  });

  async function begin({ by: [timezone, sendAt], start }: Pick<Row, "by" | "start">): Promise<void> {
    const { db, options } = two.nodes[0];
    setClock(new Date(start));
    for (const table of ["editions", "audit", "skipped_dates", "moved_dates"] as const) {
      await db.deleteFrom(table).execute();
    }
    await saveSchedule(db, { timezone, sendAt, sendDays: null }, options, clock.now());
    await setSchedules(two.nodes[0].queues, await loadSchedule(db));
  }

  async function take(node: App, { set, passed, skip, unskip, move, refused }: Step): Promise<void> {
    const by = { actor: "an operator" };
    const change = async () => {
      if (set) await changeSchedule(node, set, { ...by, passed });
      if (skip) await changeSkips(node, { ...by, dates: parseDates(skip), skip: true });
      if (unskip) await changeSkips(node, { ...by, dates: parseDates(unskip), skip: false });
      if (move) await changeMove(node, { ...by, date: move[0], sendAt: move[1] });
    };
    if (refused === undefined) return change();
    await expect(change()).rejects.toMatchObject({ code: refused });
  }

  /**
   * Once a change is answered, the queue's scheduler is that of the schedule, whichever node one asks.
   * @param moved whether it was just set, so that it wakes at the next instant from now
   */
  async function schedulersAgree(moved: boolean): Promise<void> {
    const schedule = await loadSchedule(two.nodes[1].db);
    const seen = await Promise.all(two.nodes.map(({ queues }) => queues.editions.getJobScheduler("open-edition")));
    const [one, other] = seen.map((scheduler) => scheduler && [scheduler.pattern, scheduler.tz, scheduler.next]);
    expect(one).toEqual(other);
    const [next] = nextSends(clock.now(), { ...schedule, moved: new Map(), skipped: new Set() }, 1);
    expect(one).toEqual([cronPattern(schedule), schedule.timezone, moved ? next!.at.getTime() : expect.any(Number)]);
  }

  const opened = async () =>
    Object.fromEntries(
      (await editions())
        .filter(({ state }) => state !== "missed")
        .map(({ date, number, opened_at }) => [number === 1 ? date : `${date}.${number}`, opened_at.toISOString()]),
    );
  const missed = async () =>
    (await editions()).filter(({ state }) => state === "missed").map(({ date, reason_code }) => [date, reason_code]);
  const editions = () => two.nodes[0].db.selectFrom("editions").selectAll().orderBy("date").execute();
});

function everySixHours({ start, until }: Row): number[] {
  const [from, to] = [new Date(start).getTime(), new Date(until).getTime()];
  return Array.from({ length: Math.floor((to - from) / (6 * hour)) + 1 }, (_, n) => from + n * 6 * hour);
}

const inFull = (instants: Record<string, string>): Record<string, string> =>
  Object.fromEntries(Object.entries(instants).map(([date, at]) => [date, new Date(at).toISOString()]));
