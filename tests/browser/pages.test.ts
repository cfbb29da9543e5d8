import type { BrowserContextOptions, Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { faultsOf, looks, withPage as withPageOf } from "./look.ts";
import { openLiveSite, type LiveSite } from "./site.ts";

let site: LiveSite;
beforeAll(async () => {
  site = await openLiveSite();
});
afterAll(() => site.close());

const withPage = (options: BrowserContextOptions, use: (page: Page) => Promise<void>) =>
  withPageOf(site.browser, options, use);

test.each(looks)("on a %s no page has a fault for assistive technology, or scrolls sideways", async (_name, look) => {
  await withPage(look, async (page) => {
    for (const [name, path] of Object.entries(site.pages)) {
      await page.goto(site.url + path);
      expect(await faultsOf(page), name).toEqual([]);
      expect(await page.evaluate<number>("document.querySelectorAll('h1').length"), name).toBe(1);
    }
  });
});

test("no page asks another host for anything, or breaks its own policy", async () => {
  await withPage({}, async (page) => {
    const elsewhere: string[] = [];
    const complaints: string[] = [];
    page.on("request", (request) => {
      if (!request.url().startsWith(site.url)) elsewhere.push(request.url());
    });
    page.on("console", (message) => complaints.push(message.text()));
    for (const path of Object.values(site.pages)) await page.goto(site.url + path);
    expect(elsewhere).toEqual([]);
    expect(complaints.filter((text) => !text.includes("404"))).toEqual([]);
  });
});

test("without JavaScript, by keyboard alone: a reader changes tags, unsubscribes and comes back", async () => {
  await withPage({ javaScriptEnabled: false }, async (page) => {
    await page.goto(site.url + site.pages["preferences"]!);
    expect(await page.getByLabel("huawei").isChecked()).toBe(true);
    await page.getByLabel("spectrum").focus();
    await page.keyboard.press("Space");
    await page.getByRole("button", { name: "Save tags" }).focus();
    await page.keyboard.press("Enter");
    await page.getByRole("status").first().waitFor();
    expect(await page.getByLabel("spectrum").isChecked()).toBe(true);
    await page.getByRole("link", { name: "unsubscribe" }).click();
    await page.getByRole("button", { name: "Unsubscribe from all emails" }).click();
    await page.getByRole("heading", { name: "You are unsubscribed" }).waitFor();
    await page.getByRole("button", { name: "Subscribe again" }).click();
    await page.getByRole("heading", { name: "You are subscribed again" }).waitFor();
  });
});

test("the outbox shows a mail as its reader would see it", async () => {
  await withPage({}, async (page) => {
    await page.goto(site.url + site.pages["mail"]!);
    const mail = page.frameLocator("iframe");
    await mail.getByRole("link", { name: "USA pressuring South Korean network to cancel Huawei deal" }).waitFor();
    // Its own styles are let in. The tests are compiled without the DOM's types.
    const size = await mail.locator("h1").evaluate((heading: unknown) => {
      const frame = globalThis as unknown as { getComputedStyle(element: unknown): { fontSize: string } };
      return frame.getComputedStyle(heading).fontSize;
    });
    expect(size).toBe("36px");
  });
});
