import { describe, expect, it } from "vitest";
import { dueAt, nextSends, type Schedule } from "../../../src/schedule/calendar.ts";
import { checkMove, checkSkip } from "../../../src/editions/change-schedule.ts";
import type { ErrorCode } from "../../../src/texts/catalogue.ts";
import { dueBy } from "../../support/schedule.ts";
import { execute } from "../cli/execute.ts";

const at = (instant: string) => new Date(instant);
const schedule = (moved: Record<string, string>, more: Partial<Schedule> = {}): Schedule => ({
  timezone: "Europe/Berlin",
  sendAt: "07:00",
  sendDays: [1, 2, 3, 4, 5],
  skipped: new Set(["2026-11-26"]),
  moved: new Map(Object.entries(moved)),
  ...more,
});

describe("a date that is moved", () => {
  it("is due at its own time, and the others are not", () => {
    const some = schedule({ "2026-11-24": "09:30", "2026-11-26": "10:00" });
    expect(dueAt("2026-11-24", some)).toEqual(at("2026-11-24T08:30Z"));
    expect(nextSends(at("2026-11-23T12:00Z"), some, 3)).toEqual([
      { date: "2026-11-24", at: at("2026-11-24T08:30Z"), notes: [{ code: "moved", from: "07:00" }] },
      { date: "2026-11-25", at: at("2026-11-25T06:00Z"), notes: [] },
      { date: "2026-11-27", at: at("2026-11-27T06:00Z"), notes: [] },
    ]);
  });

  it("opens once at its own time, and not at the schedule's", () => {
    const look = (now: string, recorded: string[] = []) =>
      dueBy({
        now: at(now),
        since: at("2026-11-23T07:00Z"),
        schedule: schedule({ "2026-11-24": "09:30" }),
        recorded: new Set(recorded),
        catchUpHours: 12,
      }).open?.date ?? null;
    expect(look("2026-11-24T06:00:30Z")).toBeNull();
    expect(look("2026-11-24T08:30Z")).toBe("2026-11-24");
    expect(look("2026-11-24T08:31Z", ["2026-11-24"])).toBeNull();
    expect(look("2026-11-25T06:00Z", ["2026-11-24"])).toBe("2026-11-25");
  });

  it("takes a time that the clocks jump over as the first after it, and says so", () => {
    const spring = schedule({ "2026-03-29": "02:30" }, { sendDays: [7] });
    const [send] = nextSends(at("2026-03-28T12:00Z"), spring, 1);
    expect(send).toMatchObject({ date: "2026-03-29", at: at("2026-03-29T01:00Z") });
    expect(send!.notes).toEqual([
      { code: "moved", from: "07:00" },
      { code: "clocks_forward", time: "02:30", timezone: "Europe/Berlin", at: "03:00" },
    ]);
  });
});

// [what, date, to, now, moved before, the refusal]
it.each<[string, string, string | null, string, Record<string, string>, ErrorCode | null]>([
  ["later today", "2026-11-24", "09:30", "2026-11-24T05:59Z", {}, null],
  ["earlier tomorrow", "2026-11-25", "05:00", "2026-11-24T12:00Z", {}, null],
  ["to a time that has passed", "2026-11-24", "06:30", "2026-11-24T05:59Z", {}, "delivery_time_passed"],
  [
    "back, when that time has passed",
    "2026-11-24",
    null,
    "2026-11-24T07:00Z",
    { "2026-11-24": "09:30" },
    "delivery_time_passed",
  ],
  ["back in time", "2026-11-24", null, "2026-11-24T05:00Z", { "2026-11-24": "09:30" }, null],
  ["a date of yesterday", "2026-11-23", "09:00", "2026-11-24T05:00Z", {}, "date_passed"],
  ["a date that has its edition", "2026-11-20", "23:00", "2026-11-20T05:00Z", {}, "date_has_edition"],
  ["a skipped date", "2026-11-26", "09:00", "2026-11-24T05:00Z", {}, "date_not_scheduled"],
  ["a Sunday", "2026-11-29", "09:00", "2026-11-24T05:00Z", {}, "date_not_scheduled"],
])("moving %s", (_what, date, sendAt, now, moved, refusal) => {
  const move = () =>
    checkMove({ date, sendAt, now: at(now), schedule: schedule(moved), recorded: new Set(["2026-11-20"]) });
  if (refusal) expect(move).toThrow(expect.objectContaining({ code: refusal }));
  else expect(move).not.toThrow();
});

// [what, date, whether it is left out or put back, the refusal]; now is Tuesday 24 November, 09:00 in Berlin
it.each<[string, string, "skip" | "unskip", ErrorCode | null]>([
  ["today, before anything has looked at it", "2026-11-24", "skip", null],
  ["a holiday to come", "2026-12-25", "skip", null],
  ["a date that was sent after the backup that was put back", "2026-11-23", "skip", null],
  ["a date from before the schedule began", "2026-11-19", "skip", "date_passed"],
  ["a past Sunday, which the schedule does not send on", "2026-11-22", "skip", "date_passed"],
  ["a date that has its edition", "2026-11-20", "skip", "date_has_edition"],
  ["a date that is left out", "2026-11-26", "unskip", null],
  ["a date that is not left out", "2026-11-25", "unskip", null],
  ["a past date", "2026-11-23", "unskip", "date_passed"],
])("leaving out, or putting back, %s", (_what, date, act, refusal) => {
  const skip = act === "skip";
  const present = { ...schedule({}), since: at("2026-11-19T12:00Z") };
  const recorded = new Set(["2026-11-20"]);
  const change = () =>
    checkSkip({ date, skip, now: at("2026-11-24T08:00Z"), schedule: present, recorded, catchUpHours: 12 });
  if (refusal) expect(change).toThrow(expect.objectContaining({ code: refusal }));
  else expect(change).not.toThrow();
});

it.each([
  [["move", "2026-12-24"], /Specify either the new time/],
  [["move", "2026-12-24", "10:00", "--undo"], /Specify either the new time/],
  [["move", "2026-12-24", "25:00"], /not a time of day/],
  [["skip", "2026-12-24..2026-12-20"], /not a range of dates/],
  [["skip", "2026-12-24..2036-12-20"], /not a range of dates/],
  [["skip", "2026-12-24..x"], /not a date/],
  [["set", "--at", "07:00", "--passed", "later"], /Use send or skip/],
])("schedule %j is wrong usage", async (argv, sentence) => {
  const { code, stderr } = await execute(["schedule", ...argv], {});
  expect({ code, stderr }).toMatchObject({ code: 2, stderr: expect.stringMatching(sentence) });
});
