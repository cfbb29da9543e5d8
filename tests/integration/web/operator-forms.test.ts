import { afterAll, beforeAll, expect, test } from "vitest";
import { textOf } from "../../support/text.ts";
import { formWithFile } from "../../support/form-with-file.ts";
import { signIn, type Dashboard } from "../../support/sign-in.ts";
import { article, openWeb, type OpenWeb } from "./open.ts";

let site: OpenWeb;
let dashboard: Dashboard;

beforeAll(async () => {
  site = await openWeb();
  dashboard = await signIn(site);
  await site.api("POST", "/articles", [article(1, ["huawei", "lte"])]);
});
afterAll(() => site.close());

test("a refused change of the schedule keeps the dates, with the message at the field", async () => {
  const skipped = await dashboard.post("/operator/schedule/skip", { date: "2026-12-26", until: "2026-12-24" });
  expect(skipped.statusCode).toBe(422);
  expect(skipped.body).toMatch(/id="date" name="date" type="date" required value="2026-12-26" aria-invalid="true"/);
  expect(skipped.body).toContain('id="skip-wrong"');
  const moved = await dashboard.post("/operator/schedule/move", { date: "2026-12-24", time: "25:00" });
  expect([moved.statusCode, moved.body]).toEqual([
    422,
    expect.stringContaining('name="date" type="date" required value="2026-12-24"'),
  ]);
  const range = await dashboard.post("/operator/schedule/skip", { date: "2026-12-24", until: "2026-12-26" });
  expect(range.headers.location).toBe("/operator/schedule?saved=skip");
  expect((await site.api("GET", "/schedule")).json().skipped).toEqual(["2026-12-24", "2026-12-25", "2026-12-26"]);
});

test("a refused form of a tag keeps its input on the page of the tag", async () => {
  const merge = await dashboard.get("/operator/tags/merge?from=huawei&into=nothing");
  expect(merge.statusCode).toBe(422);
  expect(merge.body).toMatch(/name="into"[^>]*value="nothing"[^>]*aria-invalid="true"/);
  const alias = await dashboard.post("/operator/tags/alias", { tag: "huawei", alias: " " });
  expect(alias.body).toContain(`id="alias-wrong">${textOf("error.tag_spelling_missing")}`);
});

test("a refused source, operator or token keeps its input", async () => {
  const source = await dashboard.post("/operator/sources", { url: "ftp://news.example.com", tags: "a, b" });
  expect(source.body).toContain('id="url-wrong"');
  expect(source.body).toContain('value="a, b"');
  const token = await dashboard.post("/operator/people/tokens", { name: "Script", role: "editor", days: "0" });
  expect(token.statusCode).toBe(422);
  expect(token.body).toContain('value="Script"');
  expect(token.body).toContain("<option selected>editor</option>");
});

test("a refused suppression or list of readers keeps its input on the page of readers", async () => {
  for (const act of ["suppress", "unsuppress"]) {
    const refused = await dashboard.post(`/operator/readers/${act}`, { address: "nobody at home" });
    expect(refused.statusCode).toBe(422);
    expect(refused.body).toMatch(/name="address"[^>]* value="nobody at home" aria-invalid="true"/);
    expect(refused.body).toContain('id="address-wrong" role="alert"');
  }
  for (const [form, field] of [
    ["import", "list"],
    ["suppressions", "suppressions-list"],
  ] as const) {
    const { payload, type } = await formWithFile(
      { csrf: dashboard.csrf, allTags: "1", act: "look", list: " " },
      { field: "file", name: "", content: Buffer.alloc(0) },
    );
    const headers = { cookie: dashboard.cookie, "content-type": type };
    const refused = await site.inject({ method: "POST", url: `/operator/readers/${form}`, headers, payload });
    expect(refused.statusCode, form).toBe(422);
    expect(refused.body).toMatch(new RegExp(`id="${field}"[^>]* aria-invalid="true"`));
    expect(refused.body).toContain(`id="${field}-wrong" role="alert">${textOf("error.import_empty")}`);
    if (form === "import") expect(refused.body).toMatch(/name="allTags" value="1" checked/);
  }
});

test("a test email without articles is refused, because none would be sent", async () => {
  const address = "ada@example.com";
  for (const [url, fields] of [
    ["/operator/preview/test", { address, tag: "lte", tags: "lte" }],
    ["/operator/setup/test", { address }],
  ] as const) {
    expect((await dashboard.post(url, fields)).statusCode).toBe(303);
  }
  await site.app.db.updateTable("articles").set({ hidden: true }).execute();
  const refused = await dashboard.post("/operator/setup/test", { address });
  expect([refused.statusCode, refused.body]).toEqual([
    422,
    expect.stringContaining(`id="test-result" role="alert">${textOf("error.test_email_empty")}`),
  ]);
  expect(await site.app.db.selectFrom("notices").select("address").execute()).toHaveLength(2);
});

test("a page that says why a request failed has a heading for people", async () => {
  const { body } = await dashboard.post("/operator/editions/nonsense/pause");
  expect(body).toContain(`<h1>${textOf("failure.other")}</h1>`);
});
