import type { AddressInfo } from "node:net";
import { sql } from "kysely";
import { chromium, type Browser, type BrowserContextOptions } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { complaintLines } from "../../src/outcomes/rates.ts";
import { addCounts } from "../../src/providers/store.ts";
import { openWeb, type OpenWeb } from "../integration/web/open.ts";
import { handedOver } from "../support/handed-over.ts";
import { chromium as chromiumPath } from "../support/kinds.ts";
import { addAllNewsReaders } from "../support/readers.ts";
import { signIn } from "../support/sign-in.ts";
import { textOf } from "../support/text.ts";
import { faultsOf, looks, withPage } from "./look.ts";

let site: OpenWeb;
let browser: Browser;
let url: string;
let session: Exclude<BrowserContextOptions["storageState"], string | undefined>;

const reader = (n: number): string => `reader${n}@${["gmail.com", "yahoo.com", "a-long-name.example.org"][n % 3]}`;

beforeAll(async () => {
  site = await openWeb({ PUBLIC_URL: "http://localhost:3000" });
  await addAllNewsReaders(
    site.app,
    Array.from({ length: 200 }, (_, i) => reader(i)),
  );
  await handedOver(site.app);
  const accepted = { accepted: 4_812, deferred: 3, refused: 2 };
  await addCounts(
    site.app.db,
    new Map([
      ["google", accepted],
      ["yahoo", { ...accepted, accepted: 1_204 }],
      ["a-long-name.example.org", { ...accepted, accepted: 66 }],
    ]),
    site.clock.at,
  );
  const bounced = (n: number, code: string, text: string) => ({ address: reader(n), outcome: "bounced", code, text });
  const complained = (n: number) => ({ address: reader(n), outcome: "complained" });
  await site.api("POST", "/outcomes", [
    bounced(
      0,
      "550 5.1.1",
      "The email account that you tried to reach does not exist. https://support.google.com/mail/?p=NoSuchUser",
    ),
    bounced(1, "550 5.1.1", "No such user"),
    bounced(2, "552 5.2.2", "Mailbox full"),
    bounced(5, "550 5.7.1", "Message refused by policy"),
    ...[4, 7, 10, 13, 16].map(complained),
  ]);
  await site.api("POST", "/suppressions", { address: "stranger@example.org", reason: "asked by phone on Monday" });
  const { cookie } = await signIn(site);
  const [name, value] = [cookie.slice(0, cookie.indexOf("=")), cookie.slice(cookie.indexOf("=") + 1)];
  await site.web.listen({ host: "127.0.0.1", port: 0 });
  url = `http://127.0.0.1:${(site.web.server.address() as AddressInfo).port}`;
  const own = { domain: "127.0.0.1", path: "/", expires: -1, httpOnly: true, secure: false, sameSite: "Lax" as const };
  session = { cookies: [{ ...own, name, value }], origins: [] };
  browser = await chromium.launch({ executablePath: chromiumPath()!, args: ["--no-sandbox"] });
});
afterAll(async () => {
  await browser.close();
  await site.close();
});

const pages = {
  "an edition": "/operator/editions/2026-11-24",
  "the editions": "/operator/editions",
  "the providers": "/operator/providers",
  "the statistics": "/operator/numbers",
  "the suppressions": "/operator/suppressions",
  "the suppressions of an edition": "/operator/suppressions?edition=2026-11-24&reason=bounce",
  "a wrong search for suppressions": "/operator/suppressions?edition=2026-11-20",
  "the removal of many suppressions": "/operator/suppressions/remove-all?edition=2026-11-24&reason=bounce",
};

test.each(looks)("pages with bounces and complaints have no faults on a %s", async (_look, options) => {
  await withPage(browser, { ...options, storageState: session }, async (page) => {
    for (const [name, path] of Object.entries(pages)) {
      await page.goto(url + path);
      expect(page.url(), name).toBe(url + path);
      expect(await faultsOf(page), name).toEqual([]);
    }
  });
});

test("the plot of complaints has the limits of the providers", async () => {
  await withPage(browser, { ...looks[0][1], storageState: session }, async (page) => {
    await page.goto(`${url}/operator/numbers`);
    const plot = page.getByRole("region", { name: textOf("statistics.complained") });
    await plot.locator(".uplot").waitFor();
    expect(await plot.getAttribute("data-lines")).toBe(complaintLines.join(" "));
    const others = await page.locator("[data-lines]").count();
    expect(others).toBe(1);
  });
});

test("suppressions of an edition are filtered and removed with the mouse alone", async () => {
  await withPage(browser, { ...looks[0][1], storageState: session }, async (page) => {
    await page.goto(`${url}/operator/suppressions`);
    await page.getByText("Filter and find").click();
    await page.getByLabel("Edition").fill("2026-11-24");
    await page.getByRole("button", { name: "Filter suppressions" }).click();
    await page.getByRole("link", { name: /^Bounced/ }).click();
    await page.getByRole("link", { name: /^Remove 2/ }).click();
    await page.getByRole("button", { name: /^Remove 2/ }).click();
    await page.getByRole("status").waitFor();
    const { rows } = await sql<{ count: number }>`
      select count(*)::int as count from suppressions where reason = 'bounce'`.execute(site.app.db);
    expect(rows).toEqual([{ count: 0 }]);
  });
});
