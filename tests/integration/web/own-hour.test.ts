import { afterAll, beforeAll, expect, test } from "vitest";
import { sendNow } from "../../../src/editions/send-now.ts";
import { addSubscriber } from "../../../src/subscribers/add.ts";
import { linkToken } from "../../../src/subscribers/tokens.ts";
import { findByAddress } from "../../../src/subscribers/store.ts";
import { signIn } from "../../support/sign-in.ts";
import { textOf } from "../../support/text.ts";
import { article, openWeb, type OpenWeb } from "./open.ts";

const address = "ada@example.com";
let site: OpenWeb;
beforeAll(async () => {
  site = await openWeb({ TIMEZONE: "Europe/Berlin", SEND_AT: "07:00" });
  await site.api("POST", "/articles", article(1, ["huawei"]));
  await addSubscriber(site.app, {
    address,
    tags: ["huawei"],
    allTags: false,
    confirmed: true,
    timezone: "Asia/Calcutta",
    actor: "test",
  });
});
afterAll(() => site.close());

const get = (url: string) => site.inject({ method: "GET", url });

test("the form takes the publication's time, and says what a reader's own time means", async () => {
  const { body } = await get("/subscribe");
  expect(/<select id="timezone".*?<\/select>/s.exec(body)![0]).not.toContain("selected");
  expect(body).toContain(textOf("zone.choice", { sendAt: "07:00", ownZone: "Berlin" }));
  expect((await get("/subscribe/timezone?zone=asia/calcutta")).json()).toEqual({
    zone: "Asia/Kolkata",
    name: "Kolkata",
    sentence: textOf("zone.example", {
      code: "day_before",
      zone: "Kolkata",
      edition: "Wednesday",
      soon: "Wednesday 11:30",
      own: "Thursday 07:00",
      hours: 19.5,
    }),
  });
  expect((await get("/subscribe/timezone?zone=Mars/Base")).statusCode).toBe(422);
});

test("a stored former name of a zone stays valid and is shown by its present one", async () => {
  const reader = (await findByAddress(site.app.db, address))!;
  const own = `/preferences/${linkToken(site.app.options.secret, "preferences", reader.key)}`;
  const { body } = await get(`${own}/timezone`);
  expect(body).toMatch(/<option value="Asia\/Kolkata" selected>Kolkata</);
  expect((await get(own)).body).toContain(textOf("preferences.at", { sendAt: "07:00", zone: "Kolkata" }));
});

test("the dashboard counts readers who wait for their own hour", async () => {
  const dashboard = await signIn(site);
  await sendNow(site.app, { actor: "test", extra: false });
  expect((await dashboard.get("/operator")).body).not.toContain(textOf("today.own_hour", { n: 1, warm_up: "no" }));
  const leaves = new Date(site.clock.at.getTime() + 3_600_000);
  await site.app.db.updateTable("deliveries").set({ leaves_at: leaves, due_at: leaves }).execute();
  expect((await dashboard.get("/operator")).body).toContain(textOf("today.own_hour", { n: 1, warm_up: "no" }));
});
