import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { article, openWeb, type OpenWeb } from "./open.ts";
import { textOf } from "../../support/text.ts";

let site: OpenWeb;
beforeAll(async () => {
  site = await openWeb();
  await site.api("POST", "/articles", article(1, ["huawei"]));
});
beforeEach(async () => void (await site.app.db.deleteFrom("suppressions").execute()));
afterAll(() => site.close());

const add = async (body: object) => (await site.api("POST", "/subscribers", { tags: ["huawei"], ...body })).json();
const notices = () => site.app.db.selectFrom("notices").select(["kind", "address"]).execute();

test("a reader added with the API is asked to confirm, unless there is a consent", async () => {
  expect(
    await add({ address: "ada@example.com", timezone: "asia/seoul", formUrl: "https://news.example.com/1" }),
  ).toMatchObject({
    status: "pending",
    tags: ["huawei"],
  });
  expect(await notices()).toEqual([{ kind: "confirm", address: "ada@example.com" }]);
  expect(await add({ address: "bo@example.com", confirmed: true })).toMatchObject({
    status: 422,
    details: { faults: [{ field: "consent", code: "consent_missing" }] },
  });
  const consent = {
    method: "double opt-in at news.example.com",
    wording: "Send me news.",
    at: "2026-11-20T09:00:00+01:00",
  };
  const formUrl = "https://news.example.com/2";
  const bo = await add({ address: "bo@example.com", confirmed: true, consent, timezone: "Asia/Seoul", formUrl });
  expect(bo).toMatchObject({ status: "active", timezone: "Asia/Seoul" });
  expect(
    await site.app.db.selectFrom("consents").selectAll().where("subscriber_id", "=", bo.id).execute(),
  ).toMatchObject([
    {
      method: consent.method,
      wording: consent.wording,
      requested_at: new Date("2026-11-20T08:00:00Z"),
      form_url: formUrl,
    },
  ]);
  expect(await notices()).toHaveLength(1);
});

test("a consent confirms a pending reader, and a future consent or an invalid time zone is refused", async () => {
  const consent = { method: "phone" };
  expect(await add({ address: "Ada@example.com", confirmed: true, consent })).toMatchObject({ status: "active" });
  const future = { method: "phone", at: "2027-01-01T00:00:00Z" };
  expect(await add({ address: "cy@example.com", confirmed: true, consent: future })).toMatchObject({ status: 422 });
  expect(await add({ address: "cy@example.com", confirmed: true, consent, timezone: "Nowhere" })).toMatchObject({
    status: 422,
  });
  expect((await site.api("GET", "/subscribers")).json().subscribers).toHaveLength(2);
});

/** As `dayletter suppressions remove` does it. */
async function release(address: string) {
  const found = await site.api("POST", "/suppressions/lookup", { address });
  return found.statusCode === 200 ? site.api("DELETE", `/suppressions/${found.json().hash}`) : found;
}

test("a reader can be viewed, unsubscribed and erased", async () => {
  const { id } = await add({ address: "dee@example.com", confirmed: true, consent: { method: "phone" } });
  expect((await site.api("GET", `/subscribers/${id}`)).json()).toMatchObject({ id, address: "dee@example.com" });
  expect((await site.api("DELETE", `/subscribers/${id}`)).json()).toMatchObject({ status: "unsubscribed" });
  const erased = await site.api("DELETE", `/subscribers/${id}?erase`);
  expect([erased.statusCode, erased.body]).toEqual([204, ""]);
  for (const method of ["GET", "DELETE"] as const) {
    expect((await site.api(method, `/subscribers/${id}?`)).statusCode).toBe(404);
  }
  expect((await site.api("DELETE", `/subscribers/${id}?erase`)).statusCode).toBe(404);
});

test("an erased reader can sign up again or be added with a newer consent, and leaves no readable trace", async () => {
  const address = "fay@example.com";
  const consent = { method: "phone", at: "2026-11-23T08:00:00Z" };
  const { id } = await add({ address, confirmed: true, consent });
  await site.api("DELETE", `/subscribers/${id}?erase`);
  expect((await site.api("POST", "/subscribers/lookup", { address })).json()).toMatchObject({
    detail: textOf("error.address_unknown_erased"),
  });
  expect(await add({ address, confirmed: true, consent })).toMatchObject({
    status: 409,
    detail: textOf("error.address_erased", { address, date: "2026-11-24" }),
  });
  expect(await add({ address })).toMatchObject({ status: "pending" });
  expect((await notices()).at(-1)).toEqual({ kind: "confirm", address });
  expect(await add({ address, confirmed: true, consent: { method: "phone" } })).toMatchObject({ status: "active" });
  expect((await site.api("GET", "/suppressions")).json().suppressions).toEqual([]);
});

test("an erasure does not replace another suppression reason, and is replaced by any", async () => {
  const address = "gus@example.com";
  const reasons = async () =>
    (await site.api("GET", "/suppressions")).json().suppressions.map((one: { reason: string }) => one.reason);
  const came = async () => (await add({ address, confirmed: true, consent: { method: "phone" } })).id;
  await site.api("DELETE", `/subscribers/${await came()}?erase`);
  expect(await reasons()).toEqual(["erased"]);
  await site.api("POST", "/suppressions", { address, reason: "asked by post" });
  expect(await reasons()).toEqual(["asked by post"]);
  await release(address);
  const id = await came();
  await site.api("POST", "/suppressions", { address, reason: "complaint" });
  await site.api("DELETE", `/subscribers/${id}?erase`);
  expect(await reasons()).toEqual(["complaint"]);
});

test("an address is suppressed and released, but not after a complaint", async () => {
  const suppress = (address: string, reason?: string) =>
    site.api("POST", "/suppressions", { address, ...(reason === undefined ? {} : { reason }) });
  const { id } = await add({ address: "eve+news@example.com", confirmed: true, consent: { method: "phone" } });
  expect((await suppress("Eve+news@example.com")).json()).toEqual({
    address: "Eve+news@example.com",
    reason: "operator",
  });
  expect((await suppress("stranger@example.com", "complaint")).statusCode).toBe(201);
  expect((await suppress("stranger@example.com", "operator")).json()).toMatchObject({ reason: "complaint" });
  expect((await site.api("GET", `/subscribers/${id}`)).json()).toMatchObject({ status: "suppressed" });
  expect(await add({ address: "eve+news@example.com" })).toMatchObject({ status: 409 });

  const { suppressions, next } = (await site.api("GET", "/suppressions")).json();
  expect(next).toBeNull();
  expect(suppressions.map((one: { address: string; reason: string }) => [one.address, one.reason])).toEqual(
    expect.arrayContaining([
      ["eve+news@example.com", "operator"],
      [null, "complaint"],
    ]),
  );
  const first = (await site.api("GET", "/suppressions?limit=1")).json();
  const second = (await site.api("GET", `/suppressions?limit=1&after=${first.next}`)).json();
  expect([...first.suppressions, ...second.suppressions]).toEqual(suppressions);

  expect((await release("eve+news@example.com")).statusCode).toBe(204);
  expect((await release("eve+news@example.com")).statusCode).toBe(404);
  expect((await site.api("DELETE", `/suppressions/${"0".repeat(64)}`)).statusCode).toBe(404);
  expect((await release("stranger@example.com")).json()).toMatchObject({ status: 409 });
  expect((await site.api("GET", `/subscribers/${id}`)).json()).toMatchObject({ status: "suppressed" });
  expect(await add({ address: "eve+news@example.com" })).toMatchObject({ status: "suppressed" });
});
