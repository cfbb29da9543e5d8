import { afterAll, beforeAll, expect, test } from "vitest";
import { processors } from "../../../jobs/index.ts";
import { findEdition } from "../../../src/editions/store.ts";
import { addSubscriber } from "../../../src/subscribers/add.ts";
import { textOf } from "../../support/text.ts";
import { article, openWeb, type OpenWeb } from "./open.ts";

let site: OpenWeb;
beforeAll(async () => {
  site = await openWeb();
  await site.api("POST", "/articles", article(1, ["huawei"]));
  const add = { tags: ["huawei"], allTags: false, confirmed: true, actor: "test" };
  await addSubscriber(site.app, { ...add, address: "utc@example.org" });
  await addSubscriber(site.app, { ...add, address: "own@example.org" });
  await site.app.db
    .updateTable("subscribers")
    .set({ timezone: "UTC" })
    .where("address", "=", "own@example.org")
    .execute();
});
afterAll(() => site.close());

/** What the wake-up at the publication's hour and each minute's look do. */
async function lookAt(instant: string): Promise<void> {
  site.clock.at = new Date(instant);
  await processors(site.app)["open-edition"]({}, new AbortController().signal);
}

test("a moved date is sent once at its own time, also to readers with their own time zone", async () => {
  const moved = await site.api("PUT", "/schedule/move/2026-11-25", { sendAt: "9:30" });
  expect(moved.json()).toMatchObject({
    sendAt: "07:00",
    moved: [{ date: "2026-11-25", sendAt: "09:30" }],
    next: [{ date: "2026-11-25", at: "2026-11-25T09:30:00.000Z" }, { at: "2026-11-26T07:00:00.000Z" }, {}, {}, {}],
  });
  await lookAt("2026-11-25T07:00:10Z");
  expect(await findEdition(site.app.db, "2026-11-25")).toBeUndefined();
  await lookAt("2026-11-25T09:30:05Z");
  await lookAt("2026-11-25T09:31:05Z");
  expect(await findEdition(site.app.db, "2026-11-25")).toMatchObject({
    selected: 2,
    due_at: new Date("2026-11-25T09:30Z"),
  });
  const deliveries = await site.app.db.selectFrom("deliveries").select("leaves_at").execute();
  expect(deliveries).toEqual([{ leaves_at: null }, { leaves_at: null }]);
});

test("moving a date into the past, or undoing it, sends nothing unexpectedly", async () => {
  site.clock.at = new Date("2026-11-26T06:00:00Z");
  expect((await site.api("PUT", "/schedule/move/2026-11-26", { sendAt: "05:00" })).statusCode).toBe(422);
  expect((await site.api("PUT", "/schedule/move/2026-11-26", { sendAt: "12:00" })).statusCode).toBe(200);
  site.clock.at = new Date("2026-11-26T08:00:00Z");
  const undone = await site.api("DELETE", "/schedule/move/2026-11-26");
  expect(undone.statusCode).toBe(422);
  expect(undone.json().detail).toBe(textOf("error.delivery_time_passed", { date: "2026-11-26", time: "07:00 (UTC)" }));
  expect(await findEdition(site.app.db, "2026-11-26")).toBeUndefined();
  expect((await site.api("PUT", "/schedule/move/2026-11-25", { sendAt: "23:00" })).statusCode).toBe(409);
  expect((await site.api("DELETE", "/schedule/move/2026-11-27")).json()).toMatchObject({
    moved: [{}, { sendAt: "12:00" }],
  });
});

test("a list of dates and ranges is skipped as a whole or not at all, and can be put back", async () => {
  const dates = ["2026-12-24", "2026-12-25", "2026-12-31"];
  const list = ["2026-12-24..2026-12-25", "2026-12-31"];
  expect((await site.api("PUT", "/schedule/skip", { dates: list })).json()).toMatchObject({ skipped: dates });
  expect((await site.api("PUT", "/schedule/skip", { dates: ["2027-01-01", "2027-02-30"] })).statusCode).toBe(422);
  const back = await site.api("PUT", "/schedule/skip", { dates: dates.slice(1), undo: true });
  expect(back.json()).toMatchObject({ skipped: ["2026-12-24"] });
  const many = await site.api("PUT", "/schedule/skip", { dates: ["2027-01-01..2027-12-31", "2028-01-01..2028-12-30"] });
  expect([many.statusCode, many.json().detail]).toEqual([
    422,
    textOf("error.too_many_dates", { count: 730, most: 400 }),
  ]);
});

test("a date that has passed cannot be skipped or put back, and nothing is recorded", async () => {
  site.clock.at = new Date("2026-11-27T06:00:00Z");
  await site.api("PUT", "/schedule/skip", { dates: ["2026-11-27"] });
  site.clock.at = new Date("2026-11-27T08:00:00Z");
  const late = await site.api("DELETE", "/schedule/skip/2026-11-27");
  expect(late.statusCode).toBe(422);
  expect(late.json().detail).toBe(textOf("error.skipped_date_due", { date: "2026-11-27", time: "07:00 (UTC)" }));
  await lookAt("2026-11-28T07:00:00Z");
  for (const [date, key] of [
    ["2026-11-27", "error.date_passed"],
    ["2026-11-28", "error.date_has_edition"],
  ] as const) {
    for (const undo of [true, false]) {
      const refused = await site.api("PUT", "/schedule/skip", { dates: ["2027-03-01", date], undo });
      expect(refused.statusCode).toBeGreaterThanOrEqual(409);
      expect(refused.json().detail).toBe(textOf(key, { date }));
    }
  }
  await lookAt("2026-11-28T08:00:00Z");
  expect(await findEdition(site.app.db, "2026-11-27")).toBeUndefined();
  expect((await site.api("GET", "/schedule")).json().skipped).not.toContain("2027-03-01");
});

test("of two simultaneous schedule changes one wins, and the other is refused with the name of the winner", async () => {
  const seen = (await site.api("GET", "/schedule")).json().revision;
  const race = await Promise.all(
    ["09:00", "10:00"].map((sendAt) => site.api("PUT", "/schedule", { sendAt, revision: seen })),
  );
  const [won, lost] = race.toSorted((a, b) => a.statusCode - b.statusCode);
  expect([won!.statusCode, lost!.statusCode]).toEqual([200, 409]);
  expect(lost!.json().detail).toBe(textOf("error.schedule_changed", { actor: "setting" }));
  const { sendAt, revision } = (await site.api("GET", "/schedule")).json();
  expect(sendAt).toBe(won!.json().sendAt);
  expect((await site.api("PUT", "/schedule/move/2026-12-02", { sendAt: "11:00", revision })).statusCode).toBe(200);
  const old = await site.api("PUT", "/schedule/move/2026-12-02", { sendAt: "12:00", revision });
  expect([old.statusCode, old.json().detail]).toEqual([409, textOf("error.schedule_changed", { actor: "setting" })]);
});

test("a delivery time that has passed sends nothing without a decision", async () => {
  site.clock.at = new Date("2026-12-01T08:30:00Z");
  const set = (body: object) => site.api("PUT", "/schedule", { sendAt: "08:00", ...body });
  const asked = await set({});
  expect(asked.statusCode).toBe(409);
  expect(asked.json().detail).toBe(textOf("error.passed_date_undecided", { date: "2026-12-01", time: "08:00 (UTC)" }));
  expect((await site.api("GET", "/schedule")).json().sendAt).not.toBe("08:00");
  expect((await set({ passed: "skip" })).json()).toMatchObject({
    sendAt: "08:00",
    next: [{ date: "2026-12-02" }, {}, {}, {}, {}],
  });
  await lookAt("2026-12-01T08:31:00Z");
  expect(await findEdition(site.app.db, "2026-12-01")).toBeUndefined();
});
