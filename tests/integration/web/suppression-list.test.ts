import { afterAll, beforeAll, expect, test } from "vitest";
import { addConsent } from "../../../src/subscribers/consents.ts";
import { formWithFile } from "../../support/form-with-file.ts";
import { signIn } from "../../support/sign-in.ts";
import { openWeb, token, type OpenWeb } from "./open.ts";

let site: OpenWeb;
beforeAll(async () => {
  site = await openWeb();
  const consent = { method: "test" };
  for (const name of ["ada", "bob", "eve", "cy"]) {
    const reader = { address: `${name}@example.com`, allTags: true, confirmed: true, consent };
    await site.api("POST", "/subscribers", reader);
  }
  // Eve and Cy have confirmed a subscription here themselves.
  const agreed = new Date("2026-03-01T00:00:00Z");
  for (const id of [3, 4]) {
    const nothing = { wording: null, wordingVersion: null, tags: [], tagIds: [], timezone: null, formUrl: null };
    const request = { ...nothing, method: "form", allTags: true, requestedAt: agreed, requestedFrom: null };
    await site.app.db.transaction().execute((tx) => addConsent(tx, id, request));
  }
  await site.app.db.updateTable("consents").set({ confirmed_at: agreed }).where("method", "=", "form").execute();
});
afterAll(() => site.close());

const give = async (query: string, payload: string, to = site) =>
  to.inject({
    method: "POST",
    url: `/api/v1/suppressions/import${query}`,
    headers: { authorization: `Bearer ${token}`, "content-type": "text/csv" },
    payload,
  });
const statuses = async (of = site): Promise<Record<string, string>> => {
  const { subscribers } = (await of.api("GET", "/subscribers")).json<{
    subscribers: { address: string; status: string }[];
  }>();
  return Object.fromEntries(subscribers.map(({ address, status }) => [address.split("@")[0]!, status]));
};
const all = async (of = site) =>
  (await of.api("GET", "/suppressions")).json<{ suppressions: { hash: string; reason: string }[] }>().suppressions;

const list =
  "E-Mail,Reason,Date\nADA@example.com,unsubscribed,2025-01-01\nnobody@example.org,complaint,\nnot an address,,\neve@example.com,unsubscribed,2025-01-01\ncy@example.com,operator,2025-01-01\n";

test("a list of suppressions goes through a dry run and an import, and readers with these addresses are suppressed", async () => {
  const counts = { lines: 5, suppressed: 3, unchanged: 0, kept: 1, refused: [{ line: 4 }], refusedCount: 1 };
  expect((await give("?dryRun", list)).json()).toMatchObject({ ...counts, imported: false });
  expect((await give("?strict", list)).json()).toMatchObject({ status: 422, code: "import_refused" });
  expect(await all()).toEqual([]);
  expect((await give("", list)).json()).toMatchObject({ ...counts, imported: true });
  expect(await statuses()).toEqual({ ada: "suppressed", bob: "active", eve: "active", cy: "suppressed" });
  expect((await all()).map(({ reason }) => reason).toSorted()).toEqual(["complaint", "operator", "unsubscribed"]);
  expect((await give("", list)).json()).toMatchObject({ suppressed: 0, kept: 1, refusedCount: 1 });
  const audited = site.app.db.selectFrom("audit").select("detail").where("action", "=", "suppressions import");
  expect((await audited.execute())[0]).toEqual({ detail: { lines: 5, suppressed: 3, kept: 1, refused: 1 } });
});

test("an export can be imported with the same SECRET, and its hashes with no other", async () => {
  const exported = await site.api("GET", "/suppressions/export");
  expect(exported.body.split("\n")[0]).toBe('"address","hash","key_id","reason","detail","date"');
  expect(exported.body).not.toContain("nobody@example.org");
  const [same, other] = await Promise.all([openWeb({ SECRET: site.app.options.secret }), openWeb()]);
  try {
    const reader = { address: "nobody@example.org", allTags: true, confirmed: true, consent: { method: "test" } };
    await same.api("POST", "/subscribers", reader);
    expect((await give("?strict", exported.body, same)).json()).toMatchObject({ suppressed: 3, refusedCount: 0 });
    expect(await all(same)).toMatchObject((await all()).map(({ hash, reason }) => ({ hash, reason })));
    expect(await statuses(same)).toEqual({ nobody: "suppressed" });
    const refused = (await give("", exported.body, other)).json<{ refused: { reasons: object[] }[] }>();
    expect(refused).toMatchObject({ suppressed: 2, refusedCount: 1 });
    expect(refused.refused[0]!.reasons).toEqual([{ code: "suppression_other_secret", details: {} }]);
  } finally {
    await same.close();
    await other.close();
  }
});

test.each(["name,tags\nx,y\n", "", "hash\nzz\n"])("%j is no list of suppressions", async (text) => {
  const answer = (await give("?strict", text)).json<{ status?: number; lines?: number }>();
  expect(text === "" ? answer.lines : answer.status).toBe(text === "" ? 0 : 422);
});

test("the page previews a list before it imports it, and exports all", async () => {
  const dashboard = await signIn(site);
  const content = Buffer.from("address,reason\nbob@example.com,unsubscribed\n");
  const file = { field: "file", name: "out.csv", content };
  const { payload, type } = await formWithFile({ csrf: dashboard.csrf, list: "", act: "import" }, file);
  const headers = { cookie: dashboard.cookie, "content-type": type };
  const url = "/operator/readers/suppressions";
  const looked = (await site.inject({ method: "POST", url, headers, payload })).body;
  expect(looked).toContain("bob@example.com,unsubscribed");
  expect(await statuses()).toMatchObject({ bob: "active" });
  await dashboard.post(url, { list: content.toString(), act: "import" });
  expect(await statuses()).toMatchObject({ bob: "suppressed" });
  expect((await dashboard.get("/operator/readers/suppressions.csv")).body).toContain('"bob@example.com"');
});
