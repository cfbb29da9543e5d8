import { afterAll, beforeAll, expect, test } from "vitest";
import { faultsOf, invalidIn, looks, withPage } from "./look.ts";
import { openLiveSite, type LiveSite } from "./site.ts";

const pages = [
  "/sample",
  "/sample?tags=lg%20u%2B,huawei&view=desktop",
  "/sample?tag=c%2B%2B&view=text",
  "/sample?view=source",
  "/sample?tag=nonsense&tag=rubbish",
  "/tags/lg%20u%2B",
  "/tags/nonsense",
  "/editions/2026-11-24",
];

let site: LiveSite;
beforeAll(async () => {
  site = await openLiveSite();
});
afterAll(() => site.close());

test.each(looks)(
  "on a %s nothing is in the way of assistive technology, scrolls sideways or comes from elsewhere",
  async (_name, look) => {
    await withPage(site.browser, look, async (page) => {
      const wrong: string[] = [];
      page.on("request", (request) => {
        if (!request.url().startsWith(site.url)) wrong.push(request.url());
      });
      page.on("console", (message) => wrong.push(message.text()));
      for (const path of pages) {
        await page.goto(site.url + path);
        wrong.push(...(await faultsOf(page)).map((fault) => `${path}: ${fault}`));
      }
      expect(wrong.filter((text) => !text.includes("404"))).toEqual([]);
    });
  },
);

test("the pages are valid HTML", async () => {
  for (const path of pages) {
    const html = await (await fetch(site.url + path)).text();
    expect(await invalidIn(html), path).toEqual([]);
  }
});

test("without JavaScript: choose tags, look at the mail in every way, and have one sent", async () => {
  await withPage(site.browser, { javaScriptEnabled: false, viewport: { width: 390, height: 844 } }, async (page) => {
    await page.goto(`${site.url}/editions/2026-11-24`);
    await page.getByRole("link", { name: "lg u+" }).click();
    await page.getByRole("heading", { name: "lg u+" }).waitFor();
    await page.getByRole("link", { name: "Sample copy" }).last().click();
    const mail = page.frameLocator("iframe");
    await mail.getByText("1 article on lg u+").waitFor();
    expect(await mail.getByRole("link", { name: "Unsubscribe" }).count()).toBe(0);
    await page.getByLabel("c++").check();
    await page.getByRole("button", { name: "Show sample" }).click();
    await mail.getByText("2 articles on lg u+, c++").waitFor();
    await page.getByRole("link", { name: "Plain text" }).click();
    expect(await page.locator("pre").innerText()).toContain("2 articles on lg u+, c++");
    await page.getByRole("link", { name: "Desktop" }).click();
    const heading = mail.getByRole("heading", { name: "Telecoms Daily" });
    await heading.waitFor();
    expect((await page.locator("iframe").boundingBox())!.width).toBe(640);
    // The clock of this site stands still: a form that was filled in at once is a script's.
    site.clock.at = new Date(site.clock.at.getTime() + 60_000);
    await page.getByLabel("Your email address").fill("bo@example.com");
    await page.getByLabel("Your email address").press("Enter");
    await page.getByRole("heading", { name: "Check your inbox" }).waitFor();
    const notices = await site.app.db.selectFrom("notices").select(["kind", "address", "payload"]).execute();
    expect(notices).toEqual([{ kind: "sample", address: "bo@example.com", payload: { tags: ["lg u+", "c++"] } }]);
  });
});

test("an article opens beside the page, and the links that do nothing do nothing", async () => {
  await withPage(site.browser, {}, async (page) => {
    await page.goto(`${site.url}/sample?tag=huawei`);
    const mail = page.frameLocator("iframe");
    await page.context().route("https://news.example.com/**", (route) => route.fulfill({ body: "The article" }));
    const opened = page.context().waitForEvent("page");
    await mail.getByRole("link", { name: "USA pressuring South Korean network" }).click();
    const article = await opened;
    await article.getByText("The article").waitFor();
    expect(await article.evaluate("[opener, document.referrer]")).toEqual([null, ""]);
    await mail.getByText("Unsubscribe").first().click();
    expect(page.context().pages()).toHaveLength(2);
    expect(page.url()).toBe(`${site.url}/sample?tag=huawei`);
  });
});
