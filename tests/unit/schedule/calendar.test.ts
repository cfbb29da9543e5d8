import { Temporal } from "temporal-polyfill";
import { describe, expect, it } from "vitest";
import { cronPattern, dueAt, isSendDay, localDate, nextSends, type Schedule } from "../../../src/schedule/calendar.ts";
import { dueBy, midnightZones, plus, scheduleOf } from "../../support/schedule.ts";

const at = (instant: string) => new Date(instant);
const hours = (count: number) => count * 3_600_000;

/** "YYYY-MM-DDTHH:MM:SS" on the wall of the zone; such texts compare like times do. */
function wall(instant: number, zone: string): string {
  const local = Temporal.Instant.fromEpochMilliseconds(instant).toZonedDateTimeISO(zone).toPlainDateTime();
  return local.toString({ smallestUnit: "second" });
}

/** Local dates of the zone's clock changes in 2025 and 2026. */
function changesOf(zone: string): string[] {
  const dates: string[] = [];
  let moment = Temporal.PlainDate.from("2025-01-01").toZonedDateTime(zone).getTimeZoneTransition("next");
  while (moment !== null && moment.year < 2027) {
    dates.push(moment.toPlainDate().toString());
    moment = moment.getTimeZoneTransition("next");
  }
  return dates;
}

/** That the date is due at the first instant at which the clock has got to its time, and before the next date. */
function check(date: string, schedule: Schedule, changing = false): void {
  const due = dueAt(date, schedule).getTime();
  const meant = `${date}T${schedule.sendAt}:00`;
  const name = `${date} ${schedule.sendAt} ${schedule.timezone}`;
  expect(wall(due, schedule.timezone) >= meant, name).toBe(true);
  expect(dueAt(plus(date, 1), schedule).getTime(), name).toBeGreaterThan(due);
  expect(isSendDay(date, schedule), name).toBe(true);
  // Were it the second of two, the clock would have shown it before: a change is of half an hour to two hours.
  for (const minutes of changing ? [1, 30, 60, 120] : [1]) {
    expect(wall(due - minutes * 60_000, schedule.timezone) < meant, `${minutes} minutes before ${name}`).toBe(true);
  }
  if (localDate(new Date(due), schedule.timezone) !== date) {
    // Only where that time, and all of the day after it, fell into a gap (Nuuk, 23:30).
    expect(wall(due, schedule.timezone), name).toBe(`${plus(date, 1)}T00:00:00`);
  }
}

describe("dueAt, in every zone", () => {
  const zones = Intl.supportedValuesOf("timeZone").map((zone) => [zone, changesOf(zone)] as const);
  const firsts = Array.from({ length: 8 }, (_, quarter) =>
    Temporal.PlainDate.from("2025-01-01")
      .add({ months: 3 * quarter })
      .toString(),
  );

  it("knows zones whose clocks change at midnight", () => {
    const changing = zones.filter(([, changes]) => changes.length > 0).map(([zone]) => zone);
    expect(changing.length).toBeGreaterThan(100);
    expect(changing).toEqual(expect.arrayContaining(midnightZones));
  });

  it.each(["00:00", "02:15", "23:30"])("%s is the first instant at which the clock has got there", (sendAt) => {
    for (const [zone, changes] of zones) {
      const schedule = scheduleOf(zone, sendAt);
      for (const date of firsts) check(date, schedule);
      for (const change of changes) for (const days of [-1, 0, 1]) check(plus(change, days), schedule, true);
    }
  });

  it.each([...midnightZones, "Europe/Berlin", "Australia/Lord_Howe"])("two years of %s, day by day", (zone) => {
    const schedule = scheduleOf(zone, "00:00");
    let before = dueAt("2024-12-31", schedule);
    for (let date = "2025-01-01"; date < "2027-01-01"; date = plus(date, 1)) {
      const due = dueAt(date, schedule);
      expect(localDate(due, zone)).toBe(date);
      expect(due.getTime()).toBeGreaterThan(before.getTime());
      before = due;
    }
  });
});

// [zone, date and send time, due at, why]
it.each([
  ["Europe/Berlin", "2026-01-05T07:00", "2026-01-05T06:00Z", "winter"],
  ["Europe/Berlin", "2026-03-29T02:30", "2026-03-29T01:00Z", "02:00 to 03:00 is missing"],
  ["Europe/Berlin", "2026-10-25T02:30", "2026-10-25T00:30Z", "twice, the first"],
  ["Africa/Cairo", "2026-04-24T00:00", "2026-04-23T22:00Z", "00:00 to 01:00 is missing"],
  ["Asia/Beirut", "2026-03-29T00:00", "2026-03-28T22:00Z", "00:00 to 01:00 is missing"],
  ["America/Santiago", "2026-09-06T00:00", "2026-09-06T04:00Z", "00:00 to 01:00 is missing"],
  ["America/Havana", "2026-03-08T00:30", "2026-03-08T05:00Z", "00:00 to 01:00 is missing"],
  ["America/Havana", "2026-11-01T00:30", "2026-11-01T04:30Z", "twice, the first"],
  ["Australia/Lord_Howe", "2026-10-04T02:15", "2026-10-03T15:30Z", "half an hour is missing"],
  ["Australia/Lord_Howe", "2026-04-05T01:45", "2026-04-04T14:45Z", "half an hour comes twice, the first"],
  ["America/St_Johns", "2010-11-07T00:00", "2010-11-07T02:30Z", "a minute later it is 23:01 of the day before again"],
  ["America/Nuuk", "2026-03-28T23:30", "2026-03-29T01:00Z", "the last hour of the day is missing"],
  ["Pacific/Apia", "2011-12-30T07:00", "2011-12-30T10:00Z", "the whole day is missing"],
  ["Pacific/Apia", "2011-12-31T07:00", "2011-12-30T17:00Z", "the day after it"],
])("in %s, %s is due at %s: %s", (timezone, meant, due) => {
  const [date = "", sendAt = ""] = meant.split("T");
  expect(dueAt(date, scheduleOf(timezone, sendAt))).toEqual(at(due));
});

it("what was due stays due when the clock goes back over midnight", () => {
  const schedule = scheduleOf("America/St_Johns", "00:00");
  const now = at("2010-11-07T02:45Z");
  expect(wall(now.getTime(), schedule.timezone)).toBe("2010-11-06T23:15:00");
  const input = { now, since: at("2010-11-06T12:00Z"), schedule, recorded: new Set<string>(), catchUpHours: 12 };
  expect(dueBy(input).open?.date).toBe("2010-11-07");
  expect(nextSends(now, schedule, 1)[0]?.date).toBe("2010-11-08");
});

it("a day that never was has no edition", () => {
  const apia = scheduleOf("Pacific/Apia");
  const input = { schedule: apia, since: at("2011-12-28T18:00Z"), recorded: new Set(["2011-12-29"]), catchUpHours: 12 };
  expect(isSendDay("2011-12-30", apia)).toBe(false);
  expect(dueBy({ ...input, now: at("2011-12-30T12:00Z") })).toEqual({ open: null, missed: [] });
  expect(dueBy({ ...input, now: at("2011-12-30T17:00Z") })).toMatchObject({
    open: { date: "2011-12-31" },
    missed: [],
  });
});

it.each(midnightZones)(
  "opens each date at 00:00 in %s around its clock changes, at the first look after it",
  (zone) => {
    const schedule = scheduleOf(zone, "00:00");
    for (const change of changesOf(zone)) {
      const since = dueAt(plus(change, -3), schedule);
      const recorded = new Set<string>();
      for (let now = since.getTime(); recorded.size < 5; now += hours(0.5)) {
        const { open, missed } = dueBy({ now: new Date(now), since, schedule, recorded, catchUpHours: 12 });
        expect(missed).toEqual([]);
        if (open === null) continue;
        expect(now - open.dueAt.getTime()).toBeLessThan(hours(0.5));
        recorded.add(open.date);
      }
      expect([...recorded]).toEqual([-2, -1, 0, 1, 2].map((days) => plus(change, days)));
    }
  },
);

// Berlin, 07:00, which is 05:00Z in summer; the publication started on 1 June 2026, a Monday, at noon.
const dates = (now: string, schedule: Schedule, count: number) =>
  nextSends(at(now), schedule, count).map(({ date }) => date);

describe("nextSends", () => {
  it("tells what the clock changes do", () => {
    const sends = nextSends(at("2026-03-28T12:00Z"), scheduleOf("Europe/Berlin", "02:30"), 2);
    expect(sends).toEqual([
      {
        date: "2026-03-29",
        at: at("2026-03-29T01:00Z"),
        notes: [{ code: "clocks_forward", time: "02:30", timezone: "Europe/Berlin", at: "03:00" }],
      },
      { date: "2026-03-30", at: at("2026-03-30T00:30Z"), notes: [] },
    ]);
    expect(nextSends(at("2026-10-24T12:00Z"), scheduleOf("Europe/Berlin", "02:30"), 1)[0]?.notes).toEqual([
      { code: "clocks_back", time: "02:30", timezone: "Europe/Berlin" },
    ]);
  });

  it("leaves out what is skipped, off, past or never was", () => {
    const some = scheduleOf("UTC", "07:00", { sendDays: [1, 5], skipped: new Set(["2026-06-05"]) });
    expect(dates("2026-06-01T07:00Z", some, 3)).toEqual(["2026-06-08", "2026-06-12", "2026-06-15"]);
    expect(dates("2011-12-29T12:00Z", scheduleOf("Pacific/Apia"), 2)).toEqual(["2011-12-29", "2011-12-31"]);
    expect(dates("2026-03-29T00:30Z", scheduleOf("America/Nuuk", "23:30"), 1)).toEqual(["2026-03-28"]);
  });
});

it.each([
  ["07:05", [1, 2, 3, 4, 5, 6, 7], "5 7 * * *"],
  ["00:00", [1, 2, 3, 4, 5], "0 0 * * 1,2,3,4,5"],
  ["23:30", [6, 7], "30 23 * * 6,0"],
])("wakes up at %s on %j by the pattern %j", (sendAt, sendDays, pattern) => {
  expect(cronPattern(scheduleOf("UTC", sendAt, { sendDays }))).toBe(pattern);
});
