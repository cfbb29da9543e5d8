import { afterAll, beforeAll, expect, test } from "vitest";
import { processors } from "../../../jobs/index.ts";
import { findEdition } from "../../../src/editions/store.ts";
import { addSubscriber } from "../../../src/subscribers/add.ts";
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

test("a date that is moved goes out at its own time, once, to readers with a zone of their own too", async () => {
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

test("neither a move into the past nor its undoing sends by surprise", async () => {
  site.clock.at = new Date("2026-11-26T06:00:00Z");
  expect((await site.api("PUT", "/schedule/move/2026-11-26", { sendAt: "05:00" })).statusCode).toBe(422);
  expect((await site.api("PUT", "/schedule/move/2026-11-26", { sendAt: "12:00" })).statusCode).toBe(200);
  site.clock.at = new Date("2026-11-26T08:00:00Z");
  const undone = await site.api("DELETE", "/schedule/move/2026-11-26");
  expect(undone.statusCode).toBe(422);
  expect(undone.json().detail).toContain("07:00 (UTC) of 2026-11-26 has passed");
  expect(await findEdition(site.app.db, "2026-11-26")).toBeUndefined();
  expect((await site.api("PUT", "/schedule/move/2026-11-25", { sendAt: "23:00" })).statusCode).toBe(409);
  expect((await site.api("DELETE", "/schedule/move/2026-11-27")).json()).toMatchObject({
    moved: [{}, { sendAt: "12:00" }],
  });
});

test("holidays are skipped by a list, all or none, and put back", async () => {
  const dates = ["2026-12-24", "2026-12-25", "2026-12-31"];
  expect((await site.api("PUT", "/schedule/skip", { dates })).json()).toMatchObject({ skipped: dates });
  expect((await site.api("PUT", "/schedule/skip", { dates: ["2027-01-01", "2027-02-30"] })).statusCode).toBe(422);
  const back = await site.api("PUT", "/schedule/skip", { dates: dates.slice(1), undo: true });
  expect(back.json()).toMatchObject({ skipped: ["2026-12-24"] });
});
