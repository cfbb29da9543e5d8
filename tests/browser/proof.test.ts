import type { AddressInfo } from "node:net";
import { chromium, type Browser, type Page } from "playwright-core";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { caps } from "../../src/abuse/limits.ts";
import { openWeb, type OpenWeb } from "../integration/web/open.ts";
import { chromium as chromiumPath } from "../support/kinds.ts";
import { signUps, type SignUps } from "../support/sign-up.ts";

let site: OpenWeb;
let form: SignUps;
let url: string;
let browser: Browser;
beforeAll(async () => {
  site = await openWeb({ PUBLIC_URL: "http://localhost:3000" });
  form = signUps(site);
  await site.web.listen({ host: "127.0.0.1", port: 0 });
  url = `http://127.0.0.1:${(site.web.server.address() as AddressInfo).port}`;
  browser = await chromium.launch({ executablePath: chromiumPath()!, args: ["--no-sandbox"] });
});
afterAll(async () => {
  await browser?.close();
  await site?.close();
});
/** All that this machine's network may send in an hour. */
beforeEach(async () => {
  await form.forget();
  for (let n = 0; n < caps.plainNetwork.points; n++)
    await form.send({ address: `r${n}@example.com`, from: "127.0.0.1" });
});

async function fillIn(page: Page, address: string): Promise<void> {
  await page.goto(`${url}/subscribe`);
  await page.getByLabel(/email address/i).fill(address);
  await page.getByLabel(/all news/i).check();
  site.clock.at = new Date(site.clock.at.getTime() + 10_000);
  await page.locator("form#signup button[type=submit]").last().click();
}

test("past the cap the browser works the puzzle out by itself, under the page's own policy", async () => {
  const page = await browser.newPage();
  const complaints: string[] = [];
  page.on("console", (message) => complaints.push(message.text()));
  page.on("pageerror", (error) => complaints.push(error.message));
  await fillIn(page, "ada@example.com");
  await page.getByRole("heading", { name: "Check your inbox" }).waitFor();
  expect(complaints).toEqual([]);
  expect(await form.waiting()).toContain("ada@example.com");
  await page.close();
});

test("without JavaScript the reader is told to wait, and keeps what was entered", async () => {
  const context = await browser.newContext({ javaScriptEnabled: false });
  const page = await context.newPage();
  await fillIn(page, "bob@example.com");
  await page.getByText("try again in 60 minutes").waitFor();
  expect(await page.getByLabel(/email address/i).inputValue()).toBe("bob@example.com");
  expect(await form.waiting()).not.toContain("bob@example.com");
  await context.close();
});
