import { afterAll, beforeAll, expect, test } from "vitest";
import { confirmAddressChange } from "../../../src/subscribers/change-address.ts";
import { changeLink } from "../../../src/subscribers/tokens.ts";
import { signIn, type Dashboard } from "../../support/sign-in.ts";
import { article, openWeb, type OpenWeb } from "./open.ts";

let site: OpenWeb;
let dashboard: Dashboard;

beforeAll(async () => {
  site = await openWeb({ TIMEZONE: "Asia/Seoul" });
  dashboard = await signIn(site);
  await site.api("POST", "/articles", article(1, ["huawei", "LG U+", "5G"]));
  const consent = { method: "test" };
  for (const address of ["ada@example.com", "bob@example.com"]) {
    await site.api("POST", "/subscribers", { address, tags: ["huawei"], confirmed: true, consent });
  }
});
afterAll(() => site.close());

const reader = async () => (await site.api("GET", "/subscribers/1")).json<Record<string, unknown>>();
const edits = async () =>
  (
    await site.app.db.selectFrom("audit").selectAll().where("action", "=", "subscriber edit").orderBy("id").execute()
  ).map(({ subject, detail }) => [subject, detail]);
const kinds = async () =>
  (await site.app.db.selectFrom("notices").select(["kind", "address"]).orderBy("id").execute()).map(
    ({ kind, address }) => `${kind} ${address}`,
  );

test("the API changes tags, pause and time zone, and leaves other fields as they are", async () => {
  const edited = await site.api("PATCH", "/subscribers/1", {
    tags: ["lg u+", "5G"],
    pausedUntil: "2026-12-24",
    timezone: "europe/paris",
  });
  expect(edited.statusCode).toBe(200);
  expect(edited.json()).toMatchObject({
    address: "ada@example.com",
    tags: ["5G", "LG U+"],
    allTags: false,
    timezone: "Europe/Paris",
    // Midnight in Seoul.
    pausedUntil: "2026-12-23T15:00:00.000Z",
    pendingAddress: null,
  });
  const cleared = await site.api("PATCH", "/subscribers/1", { pausedUntil: null, timezone: null });
  expect(cleared.json()).toMatchObject({ tags: ["5G", "LG U+"], timezone: null, pausedUntil: null });
  expect((await site.api("PATCH", "/subscribers/1", { tags: ["5G", "LG U+"] })).statusCode).toBe(200);
  expect(await edits()).toEqual([
    ["subscriber 1", { changed: "tags, pausedUntil, timezone" }],
    ["subscriber 1", { changed: "pausedUntil, timezone" }],
  ]);
});

test.each([
  [{ tags: ["unheard"], timezone: "Europe/Paris" }, 422, "tag_unknown"],
  [{ tags: [] }, 422, "nothing_followed"],
  [{ timezone: "Mars/Base" }, 422, "timezone_invalid"],
  [{ tags: ["huawei"], pausedUntil: "2026-11-20" }, 422, "pause_invalid"],
  [{ address: "bob@example.com" }, 409, "subscriber_exists"],
  [{ address: "nobody" }, 422, "address_invalid"],
  [{ status: "active" }, 422, "request_invalid"],
])("the edit %j changes nothing", async (edit, status, code) => {
  const before = await reader();
  expect((await site.api("PATCH", "/subscribers/1", edit)).json()).toMatchObject({ status, code });
  expect(await reader()).toEqual(before);
});

test("the page shows a mistake at its field with what was entered, and saves the rest", async () => {
  const wrong = await dashboard.post("/operator/readers/1/edit", { tags: "huawei, unheard", pause: "", timezone: "" });
  expect(wrong.statusCode).toBe(422);
  expect(wrong.body).toContain('id="tags-wrong"');
  expect(wrong.body).toContain('value="huawei, unheard"');
  const saved = await dashboard.post("/operator/readers/1/edit", {
    tags: "huawei, LG U+",
    pause: "2026-12-01",
    timezone: "Europe/Paris",
  });
  expect(saved.headers.location).toBe("/operator/readers/1?done=edit");
  const stored = { tags: ["huawei", "LG U+"], timezone: "Europe/Paris", pausedUntil: "2026-11-30T15:00:00.000Z" };
  expect(await reader()).toMatchObject(stored);
  const page = (await dashboard.get("/operator/readers/1")).body;
  expect(page).toContain('value="2026-12-01"');
  expect(page).toContain('<option value="Europe/Paris" selected>');
});

test("a pause that ends within a day keeps its time when the form is saved", async () => {
  await site.api("PATCH", "/subscribers/1", { pausedUntil: "2026-12-03T09:30:00Z" });
  await dashboard.post("/operator/readers/1/edit", { tags: "5G", pause: "2026-12-03", timezone: "" });
  expect(await reader()).toMatchObject({ tags: ["5G"], pausedUntil: "2026-12-03T09:30:00.000Z", timezone: null });
});

test("a new address must be confirmed in its mailbox, and the former one gets a notice", async () => {
  const asked = await site.api("PATCH", "/subscribers/1", { address: "Ada@new.example" });
  expect(asked.json()).toMatchObject({ address: "ada@example.com", pendingAddress: "Ada@new.example" });
  expect(await kinds()).toEqual(["change Ada@new.example"]);
  const { key, created_at: since } = await site.app.db
    .selectFrom("address_changes")
    .select(["key", "created_at"])
    .executeTakeFirstOrThrow();
  const link = changeLink({ secret: site.app.options.secret, publicUrl: "" }, key, since);
  await confirmAddressChange(site.app, link.split("/").at(-1)!, null);
  expect(await reader()).toMatchObject({ address: "Ada@new.example", status: "active" });
  expect(await kinds()).toEqual(["change Ada@new.example", "moved ada@example.com"]);
  expect(await edits()).toContainEqual(["subscriber 1", { changed: "address" }]);
});

test("the page refuses an address that is taken, at its field", async () => {
  const taken = await dashboard.post("/operator/readers/1/edit", { address: "bob@example.com" });
  expect(taken.statusCode).toBe(409);
  expect(taken.body).toContain('id="address-wrong"');
  expect(taken.body).toContain('value="bob@example.com"');
  const asked = await dashboard.post("/operator/readers/1/edit", { address: "ada@third.example" });
  expect(asked.headers.location).toBe("/operator/readers/1?done=address");
});
