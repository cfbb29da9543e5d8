import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { dueAt, isSendDay, localDate, type Schedule } from "../../../src/schedule/calendar.ts";
import { nextEdition, sinceAfterChange } from "../../../src/schedule/next-edition.ts";
import { dueBy, midnightZones, plus, scheduleOf } from "../../support/schedule.ts";

const at = (instant: string) => new Date(instant);
const hours = (count: number) => count * 3_600_000;

describe("nextEdition", () => {
  const berlin = scheduleOf("Europe/Berlin");
  const look = (now: string, recorded: string[], more: Partial<Parameters<typeof dueBy>[0]> = {}) =>
    dueBy({
      now: at(now),
      since: at("2026-06-01T10:00Z"),
      schedule: berlin,
      recorded: new Set(recorded),
      catchUpHours: 12,
      ...more,
    });
  const weekdays = scheduleOf("Europe/Berlin", "07:00", { sendDays: [1, 2, 3, 4, 5] });
  const skipping = scheduleOf("Europe/Berlin", "07:00", { skipped: new Set(["2026-06-03"]) });

  // [what, now, recorded, opened, missed, other input]
  it.each<[string, string, string[], string | null, string[], Partial<Parameters<typeof dueBy>[0]>]>([
    ["first start after the time of day", "2026-06-01T12:00Z", [], null, [], {}],
    ["a millisecond before", "2026-06-02T04:59:59.999Z", [], null, [], {}],
    ["on time", "2026-06-02T05:00Z", [], "2026-06-02", [], {}],
    ["already recorded", "2026-06-02T05:01Z", ["2026-06-02"], null, [], {}],
    ["11 h late", "2026-06-02T16:00Z", [], "2026-06-02", [], {}],
    ["12 h late", "2026-06-02T17:00Z", [], "2026-06-02", [], {}],
    ["13 h late", "2026-06-02T18:00Z", [], null, ["2026-06-02"], {}],
    ["13 h late of 24", "2026-06-02T18:00Z", [], "2026-06-02", [], { catchUpHours: 24 }],
    [
      "three days out, back in time",
      "2026-06-05T06:00Z",
      ["2026-06-02"],
      "2026-06-05",
      ["2026-06-03", "2026-06-04"],
      {},
    ],
    ["three days out, back too late", "2026-06-04T18:00Z", [], null, ["2026-06-02", "2026-06-03", "2026-06-04"], {}],
    ["newest was sent by hand", "2026-06-04T06:00Z", ["2026-06-02", "2026-06-04"], null, ["2026-06-03"], {}],
    ["a skipped date", "2026-06-03T06:00Z", ["2026-06-02"], null, [], { schedule: skipping }],
    [
      "a week-end",
      "2026-06-07T06:00Z",
      ["2026-06-02", "2026-06-03", "2026-06-04", "2026-06-05"],
      null,
      [],
      { schedule: weekdays },
    ],
  ])("%s", (_what, now, recorded, opened, missed, more) => {
    const decision = look(now, recorded, more);
    expect(decision.open?.date ?? null).toBe(opened);
    expect(decision.missed.map((one) => one.date)).toEqual(missed);
    const all = [...recorded, ...missed, ...(opened === null ? [] : [opened])];
    expect(look(now, all, more), "once recorded, nothing is left to do").toEqual({ open: null, missed: [] });
  });

  it("gives the reason of a missed date", () => {
    expect(look("2026-06-04T18:10Z", []).missed.map(({ reason }) => reason)).toEqual([
      { code: "missed_service_down", data: { sendAt: "07:00", timezone: "Europe/Berlin", hours: 61 } },
      { code: "missed_service_down", data: { sendAt: "07:00", timezone: "Europe/Berlin", hours: 37 } },
      { code: "missed_service_down", data: { sendAt: "07:00", timezone: "Europe/Berlin", hours: 13 } },
    ]);
  });

  it("lists the sends to come, without dates that have their edition", () => {
    const now = at("2026-06-02T04:00Z");
    const schedule = { ...skipping, since: at("2026-06-01T10:00Z") };
    const dates = (recorded: string[], sends?: number) =>
      nextEdition(now, schedule, new Set(recorded), { catchUpHours: 12, ...(sends ? { sends } : {}) }).sends.map(
        ({ date }) => date,
      );
    expect(dates([])).toEqual(["2026-06-02"]);
    expect(dates(["2026-06-02"], 2)).toEqual(["2026-06-04", "2026-06-05"]);
  });

  it("looks back no more than sixty days", () => {
    expect(look("2026-12-01T12:00Z", []).missed).toHaveLength(59);
  });

  it("records each send day once, whenever it happens to look, and opens at most one at a time", () => {
    const gap = fc.oneof(fc.integer({ min: 1, max: 90 }), fc.integer({ min: 60, max: 60 * 100 }));
    const zone = fc.constantFrom(
      ...midnightZones,
      "Europe/Berlin",
      "Australia/Lord_Howe",
      "America/Nuuk",
      "Pacific/Apia",
    );
    const time = fc.constantFrom("00:00", "00:30", "02:15", "07:00", "23:30");
    const days = fc.uniqueArray(fc.integer({ min: 1, max: 7 }), { minLength: 1 });
    const start = fc.date({ min: at("2025-01-01T00:00Z"), max: at("2026-12-31T00:00Z"), noInvalidDate: true });
    fc.assert(
      fc.property(
        zone,
        time,
        days,
        start,
        fc.array(gap, { minLength: 1, maxLength: 40 }),
        (timezone, sendAt, sendDays, since, gaps) => {
          const schedule = scheduleOf(timezone, sendAt, { sendDays });
          const recorded = new Set<string>();
          let now = since;
          for (const minutes of gaps) {
            now = new Date(now.getTime() + minutes * 60_000);
            const { open, missed } = dueBy({ now, since, schedule, recorded, catchUpHours: 12 });
            for (const { date } of missed) expect(recorded.has(date)).toBe(false);
            for (const { date } of missed) recorded.add(date);
            if (open === null) continue;
            expect(recorded.has(open.date)).toBe(false);
            expect(now.getTime() - open.dueAt.getTime()).toBeLessThanOrEqual(hours(12));
            recorded.add(open.date);
          }
          const expected: string[] = [];
          for (let date = plus(localDate(since, timezone), -1); dueAt(date, schedule) <= now; date = plus(date, 1)) {
            if (dueAt(date, schedule) > since && isSendDay(date, schedule)) expected.push(date);
          }
          expect([...recorded].toSorted()).toEqual(expected);
        },
      ),
    );
  });
});

describe("sinceAfterChange", () => {
  const berlin = scheduleOf("Europe/Berlin");
  const weekdays = scheduleOf("Europe/Berlin", "07:00", { sendDays: [1, 2, 3, 4, 5] });
  const honolulu = scheduleOf("Pacific/Honolulu");

  // [what, now, before, after, recorded, what is opened at once, the date opened next]
  it.each<[string, string, Schedule, Schedule, string, string | null, string]>([
    [
      "to later, before it",
      "2026-06-04T04:00Z",
      berlin,
      scheduleOf("Europe/Berlin", "09:00"),
      "2026-06-03",
      null,
      "2026-06-04",
    ],
    [
      "to later, after it",
      "2026-06-04T06:00Z",
      berlin,
      scheduleOf("Europe/Berlin", "09:00"),
      "2026-06-04",
      null,
      "2026-06-05",
    ],
    [
      "to a time of today that is over",
      "2026-06-04T04:00Z",
      berlin,
      scheduleOf("Europe/Berlin", "05:00"),
      "2026-06-03",
      "2026-06-04",
      "2026-06-05",
    ],
    [
      "to earlier, after it",
      "2026-06-04T06:00Z",
      berlin,
      scheduleOf("Europe/Berlin", "05:00"),
      "2026-06-04",
      null,
      "2026-06-05",
    ],
    [
      "in the minute it is due",
      "2026-06-04T05:00:20Z",
      berlin,
      scheduleOf("Europe/Berlin", "06:00"),
      "2026-06-03",
      "2026-06-04",
      "2026-06-05",
    ],
    ["week-ends added on a Sunday at noon", "2026-06-07T10:00Z", weekdays, berlin, "2026-06-05", null, "2026-06-08"],
    ["week-ends taken out on a Saturday", "2026-06-06T04:00Z", berlin, weekdays, "2026-06-05", null, "2026-06-08"],
    ["zone to the west", "2026-06-04T06:00Z", berlin, honolulu, "2026-06-04", null, "2026-06-05"],
    ["zone to the east", "2026-06-04T18:00Z", honolulu, berlin, "2026-06-04", null, "2026-06-05"],
    [
      "zone to the east, past its time",
      "2026-06-05T06:00Z",
      honolulu,
      berlin,
      "2026-06-04",
      "2026-06-05",
      "2026-06-06",
    ],
  ])("%s", (_what, now, before, after, lastRecorded, atOnce, next) => {
    const recorded = new Set(Array.from({ length: 8 }, (_, days) => plus(lastRecorded, -days)));
    const change = { now: at(now), before: { ...before, since: at("2026-06-01T10:00Z") }, after, recorded };
    const input = { since: sinceAfterChange(change), schedule: after, recorded, catchUpHours: 12 };
    const decision = dueBy({ ...input, now: at(now) });
    expect(decision.missed).toEqual([]);
    expect(decision.open?.date ?? null).toBe(atOnce);
    if (atOnce !== null) recorded.add(atOnce);
    expect(dueBy({ ...input, now: dueAt(next, after) })).toMatchObject({ open: { date: next }, missed: [] });
  });
});
