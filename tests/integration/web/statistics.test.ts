import { sql } from "kysely";
import { afterAll, beforeAll, expect, test } from "vitest";
import { textOf } from "../../support/text.ts";
import { signIn, type Dashboard } from "../../support/sign-in.ts";
import { article, openWeb, type OpenWeb } from "./open.ts";

let site: OpenWeb;
let dashboard: Dashboard;

beforeAll(async () => {
  site = await openWeb();
  dashboard = await signIn(site);
  await site.api("POST", "/articles", [article(1, ["huawei"])]);
  for (const name of ["stays", "leaves", "bounces"]) {
    await site.api("POST", "/subscribers", {
      address: `${name}@example.com`,
      tags: ["huawei"],
      confirmed: true,
      consent: { method: "test" },
    });
  }
  const { app, clock } = site;
  const left = async (name: string, status: string): Promise<void> =>
    void (await sql`update subscribers set status = ${status}, left_at = ${clock.at}
      where address = ${`${name}@example.com`}`.execute(app.db));
  await left("leaves", "unsubscribed");
  await left("bounces", "suppressed");
});
afterAll(() => site.close());

/** The cells of a table's first row whose heading begins with `head`. */
function cells(body: string, table: string, head: string): string[] {
  const from = body.indexOf(`id="${table}"`);
  const row = body.slice(body.indexOf(`<th scope="row">${head}`, from)).split("</tr>")[0]!;
  return [...row.matchAll(/<td[^>]*>([^<]*)/g)].map(([, cell]) => cell!);
}

test("readers whose address bounced are not among those who left, and the page of the day agrees with the plots", async () => {
  const today = (await dashboard.get("/operator")).body;
  expect(cells(today, "readers", textOf("today.last_day"))).toEqual(["3", "1", "1"]);
  const { body } = await dashboard.get("/operator/numbers");
  expect(cells(body, "plot-left", "2026-11-24")).toEqual(["1", "1"]);
  expect(cells(body, "plot-readers", "2026-11-24")).toEqual(["1"]);
  expect(cells(body, "plot-readers", "2026-11-23")).toEqual(["0"]);
});

test("an empty extra edition names the readers who were active, and a tag's page links the edition of an article", async () => {
  await site.api("POST", "/editions");
  await site.render(1);
  const extra = await site.api("POST", "/editions", { extra: true });
  expect(extra.json()).toMatchObject({ state: "empty", readers: 1, selected: 0, unmatched: 0 });
  const { body } = await site.inject({ method: "GET", url: "/tags/huawei" });
  const label = textOf("article.edition", { date: "Tuesday, 24 November 2026", extra: "none" });
  expect(body).toContain(`<a href="/editions/2026-11-24">${label}</a>`);
});
