import type { BrowserContextOptions, Page, Response } from "playwright-core";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { listPublished } from "../../src/editions/store.ts";
import { findByAddress } from "../../src/subscribers/store.ts";
import { faultsOf, invalidIn, looks, withPage as withPageOf } from "./look.ts";
import { odd, openReaderSite, type ReaderSite } from "./reader-site.ts";
import { textOf } from "../support/text.ts";

let site: ReaderSite;
beforeAll(async () => {
  site = await openReaderSite();
});
// All of this comes from one network, which would soon be asked to wait.
beforeEach(async () => void (await site.app.db.deleteFrom("caps").execute()));
afterAll(() => site.close());

const withPage = (options: BrowserContextOptions, use: (page: Page) => Promise<void>) =>
  withPageOf(site.browser, options, use);

/** Looks for a tag among the many and ticks it: as one types, or where no script runs, by the button. */
async function tick(page: Page, tag: string): Promise<void> {
  const box = page.getByRole("checkbox", { name: tag, exact: false }).first();
  await page.getByRole("searchbox").fill(tag);
  const find = page.getByRole("button", { name: textOf("form.find"), exact: true });
  if ((await find.count()) > 0) await find.click();
  await box.check();
}

/** Somebody takes time over a form. */
async function submit(page: Page, button: string): Promise<void> {
  site.clock.advance(10_000);
  await page.getByRole("button", { name: button }).click();
}

async function signUp(page: Page, address: string, tags: string[]): Promise<void> {
  await page.goto(`${site.url}/subscribe`);
  for (const tag of tags) await tick(page, tag);
  await page.getByLabel("Your email address").fill(address);
  await submit(page, "Sign up");
  await page.getByRole("heading", { name: "Check your inbox" }).waitFor();
  expect(page.url()).not.toContain("%40");
}

const unsubscribeIn = (text: string) => `${linkIn(text, "preferences")}/unsubscribe`;
const linkIn = (text: string, path: string) => new RegExp(`${site.url}/${path}/[\\w-]+`).exec(text)![0];
const reader = async (address: string) => (await findByAddress(site.app.db, address))!;

test.each([
  ["with JavaScript", true],
  ["without JavaScript", false],
])("%s: sign-up, confirmation, other tags, the mail that matches, one click, and nothing more", async (_name, on) => {
  const address = on ? "script@example.com" : "plain@example.com";
  await withPage({ javaScriptEnabled: on, timezoneId: "Etc/UTC" }, async (page) => {
    await signUp(page, address, ["c++", "lg u+"]);
    const asked = await site.mail(address, 1);
    await page.goto(linkIn(asked.text, "confirm"));
    for (const tag of ["c++", "lg u+"]) await page.getByText(tag, { exact: true }).waitFor();
    expect((await reader(address)).status).toBe("pending");
    await page.getByRole("button", { name: "Confirm subscription" }).click();
    await page.getByRole("heading", { name: "You are subscribed" }).waitFor();
    expect(await reader(address)).toMatchObject({ status: "active", tags: ["c++", "lg u+"] });
    await site.mail(address, 2);

    await page.getByRole("link", { name: "Change your tags" }).click();
    await page.getByLabel("lg u+").uncheck();
    await page.getByLabel("c++").uncheck();
    await tick(page, "한국");
    await page.getByRole("button", { name: "Save tags" }).click();
    await page.getByText("Saved.").waitFor();
    expect((await reader(address)).tags).toEqual(["한국"]);

    await page.getByRole("button", { name: "Pause for a week" }).click();
    await page.getByText("Your emails are paused until Tuesday 1 December.").waitFor();
    await page.getByRole("button", { name: "Resume now" }).click();
    await page.getByText("Resumed.").waitFor();

    await site.publish({ [`KT grows ${address}`]: ["한국"], [`C++ grows ${address}`]: ["c++", "lg u+"] });
    await site.send();
    const edition = await site.mail(address, 3);
    expect(edition.headlines).toContain(`KT grows ${address}`);
    expect(edition.headlines).not.toContain(`C++ grows ${address}`);

    const click = /^List-Unsubscribe: <([^>]+)>/im.exec(edition.raw)![1]!;
    const answer = await fetch(click, { method: "POST", body: new URLSearchParams("List-Unsubscribe=One-Click") });
    expect([answer.status, answer.redirected]).toEqual([200, false]);
    await site.publish({ [`KT shrinks ${address}`]: ["한국"] });
    await site.send();
    expect(site.count(address)).toBe(3);

    await page.goto(unsubscribeIn(edition.text));
    await page.getByRole("button", { name: textOf("unsubscribed.again") }).click();
    await page.getByRole("heading", { name: "You are subscribed again" }).waitFor();
    await page.goto(unsubscribeIn(edition.text));
    await page.getByRole("link", { name: textOf("unsubscribe.fewer") }).waitFor();
    await page.getByRole("button", { name: textOf("unsubscribe.submit") }).click();
    await page.getByRole("heading", { name: "You are unsubscribed" }).waitFor();
  });
});

test("without JavaScript, a search keeps address and ticks, Enter in the address signs up, and errors keep all", async () => {
  await withPage({ javaScriptEnabled: false }, async (page) => {
    await page.goto(`${site.url}/subscribe`);
    await page.getByLabel("Your email address").fill("keep@example.com");
    await page.getByLabel("Tag 17").check();
    await tick(page, "a/b");
    expect(await page.getByLabel("Tag 17").isChecked()).toBe(true);
    expect(await page.getByLabel("Your email address").inputValue()).toBe("keep@example.com");
    // The browser itself would take this; we do not.
    await page.getByLabel("Your email address").fill("keep@ex_ample");
    await page.locator("form.signup").evaluate((form) => void ((form as { noValidate?: boolean }).noValidate = true));
    site.clock.advance(10_000);
    await page.getByLabel("Your email address").press("Enter");
    await page.getByRole("alert").waitFor();
    const field = page.getByLabel("Your email address");
    expect(await field.getAttribute("aria-invalid")).toBe("true");
    expect(await page.locator(`#${await field.getAttribute("aria-describedby")}`).textContent()).toContain(
      "keep@ex_ample",
    );
    for (const tag of ["Tag 17", "a/b"]) expect(await page.getByLabel(tag).isChecked(), tag).toBe(true);
    await field.fill("keep@example.com");
    await field.press("Enter");
    await page.getByRole("heading", { name: "Check your inbox" }).waitFor();
    expect((await site.mail("keep@example.com", 1)).text).toContain("a/b");
  });
});

test("a browser in the publication's own zone, which has no city, is told its name and keeps to it", async () => {
  await withPage({ timezoneId: "UTC" }, async (page) => {
    await page.goto(`${site.url}/`);
    await page.getByText("UTC time").click();
    expect(await page.getByLabel(textOf("zone.label")).inputValue()).toBe("");
  });
});

test("with JavaScript, the browser's time zone is offered with what it means, and a slip in a well-known domain is pointed out", async () => {
  await withPage({ timezoneId: "Asia/Seoul" }, async (page) => {
    await page.goto(`${site.url}/`);
    await page.getByText("UTC time").click();
    await page.getByText("In Seoul, you would get the edition of the day before.").waitFor();
    expect(await page.getByLabel(textOf("zone.label")).inputValue()).toBe("");
    await page.getByLabel(textOf("zone.label")).selectOption("America/New_York");
    await page.getByText("In New York, you would get the edition of the same day.").waitFor();
    await page.getByLabel(textOf("zone.label")).selectOption("Asia/Seoul");
    await page.getByText("Seoul time").waitFor();
    await page.getByLabel("All news").check();
    await page.getByLabel("Your email address").fill("seoul@gmial.com");
    await page.getByLabel("All news").focus();
    await page.getByRole("button", { name: "seoul@gmail.com" }).click();
    await submit(page, "Sign up");
    await page.getByRole("heading", { name: "Check your inbox" }).waitFor();
    await page.goto(linkIn((await site.mail("seoul@gmail.com", 1)).text, "confirm"));
    await page.getByRole("button", { name: "Confirm subscription" }).click();
    await page.getByRole("heading", { name: "You are subscribed" }).waitFor();
    expect(await reader("seoul@gmail.com")).toMatchObject({ timezone: "Asia/Seoul", allTags: true });
  });
});

test.each(odd)("the tag %s goes all the way: link, form, mail, preferences", async (tag) => {
  const address = `odd${odd.indexOf(tag)}@example.com`;
  await withPage({}, async (page) => {
    await page.goto(`${site.url}/tags/${encodeURIComponent(tag)}`);
    await page.getByRole("link", { name: "Follow this tag" }).click();
    const box = page.getByRole("checkbox", { name: tag });
    expect(await box.isChecked()).toBe(true);
    await page.getByLabel("Your email address").fill(address);
    await submit(page, "Sign up");
    await page.getByRole("heading", { name: "Check your inbox" }).waitFor();
    const asked = await site.mail(address, 1);
    expect(asked.text.replaceAll(/\s+/g, " ")).toContain(tag);
    await page.goto(linkIn(asked.text, "confirm"));
    await page.getByRole("button", { name: "Confirm subscription" }).click();
    await page.getByRole("link", { name: "Change your tags" }).click();
    expect(await page.getByRole("checkbox", { name: tag }).isChecked()).toBe(true);
    expect((await reader(address)).tags).toEqual([tag]);
  });
});

test.each(looks)(
  "on a %s every page for readers is valid, within reach of all, and as wide as it may be",
  async (_name, look) => {
    const address = `${look.colorScheme}@example.com`;
    await withPage({ ...look, javaScriptEnabled: true }, async (page) => {
      const faults: string[] = [];
      const last: { page: Response | null } = { page: null };
      page.on("response", (response) => {
        if (response.request().isNavigationRequest() && response.frame() === page.mainFrame()) last.page = response;
      });
      const inspect = async (name: string): Promise<void> => {
        // The same HTML in both looks.
        const invalid = look.colorScheme === "dark" ? [] : await invalidIn(await last.page!.text());
        const found = [...invalid, ...(await faultsOf(page))];
        faults.push(...found.map((fault) => `${name}: ${fault}`));
      };
      const open = async (path: string): Promise<void> => {
        await page.goto(new URL(path, site.url).href);
        await inspect(path.replace(/[\w-]{43,}/, "TOKEN"));
      };

      for (const path of [
        "/",
        "/subscribe?tags=huawei,nothing&q=1",
        "/sample",
        "/editions?q=huawei",
        `/editions/${(await listPublished(site.app.db, 1))[0]!.date}`,
        "/tags/c%2B%2B",
        "/confirm/x",
      ])
        await open(path);
      await page.goto(`${site.url}/subscribe`);
      await page.locator("form.signup").evaluate((form) => (form as { submit(): void }).submit());
      await page.getByRole("alert").first().waitFor();
      await inspect("errors");
      await signUp(page, address, ["lg u+"]);
      await inspect("sent");
      const confirm = linkIn((await site.mail(address, 1)).text, "confirm");
      await open(confirm);
      await page.getByRole("button", { name: "Confirm subscription" }).click();
      await page.getByRole("heading", { name: "You are subscribed" }).waitFor();
      await inspect("welcome");
      await open(confirm);
      const { text } = await site.mail(address, 2);
      const own = linkIn(text, "preferences");
      for (const path of [
        own,
        `${own}?q=1&tags=c%2B%2B`,
        `${own}?saved=tags`,
        `${own}/address`,
        `${own}/timezone`,
        `${own}/erase`,
      ])
        await open(path);
      await page.goto(`${own}/address`);
      await page.getByLabel("Your new email address").fill(`new-${address}`);
      await submit(page, "Send a confirmation email");
      await page.getByRole("heading", { name: "Check the inbox of your new address" }).waitFor();
      await inspect("address asked");
      await open(linkIn((await site.mail(`new-${address}`, 1)).text, "change-address"));
      await page.getByRole("button", { name: "Use this address" }).click();
      await page.getByRole("heading", { name: "Your address has been changed" }).waitFor();
      await inspect("address changed");
      await open(unsubscribeIn(text));
      await page.getByRole("button", { name: "Unsubscribe from all emails" }).click();
      await page.getByRole("heading", { name: "You are unsubscribed" }).waitFor();
      await inspect("unsubscribed");
      await page.goto(`${own}/erase`);
      await page.getByRole("button", { name: "Delete my data" }).click();
      await page.getByRole("heading", { name: "Your data has been deleted" }).waitFor();
      await inspect("erased");
      expect(faults).toEqual([]);
      expect(await findByAddress(site.app.db, `new-${address}`)).toBeNull();
    });
  },
  120_000,
);

test("on a small phone, the address field is on the first screen and no page is wider than it", async () => {
  await withPage({ viewport: { width: 320, height: 640 } }, async (page) => {
    for (const path of ["/", "/subscribe"]) {
      await page.goto(`${site.url}${path}`);
      const address = (await page.getByLabel("Your email address").boundingBox())!;
      expect(address.y + address.height, path).toBeLessThan(640);
      const button = (await page.getByRole("button", { name: "Sign up" }).boundingBox())!;
      expect(button.y - address.y, path).toBeLessThan(2 * 640);
      const nav = (await page.getByRole("navigation").boundingBox())!;
      expect(nav.height, path).toBeLessThan(48);
      const name = page.locator(".masthead .name span");
      await name.evaluate((span) => void ((span as { textContent?: string }).textContent = "Nachrichten".repeat(5)));
      expect(await page.evaluate("document.documentElement.scrollWidth"), path).toBe(320);
    }
  });
});

test("an edition's address is shared without any other server, and its page is printed without what only a screen needs", async () => {
  const [latest] = await listPublished(site.app.db, 1);
  await withPage({ permissions: ["clipboard-read", "clipboard-write"] }, async (page) => {
    const hosts = new Set<string>();
    page.on("request", (request) => void hosts.add(new URL(request.url()).host));
    await page.goto(`${site.url}/editions/${latest!.date}?from=mail`);
    await page.getByRole("button", { name: textOf("script.copy_link") }).click();
    await page.getByText(textOf("script.link_copied")).waitFor();
    expect(await page.evaluate("navigator.clipboard.readText()")).toBe(`${site.url}/editions/${latest!.date}`);
    expect([...hosts]).toEqual([new URL(site.url).host]);
    await page.emulateMedia({ media: "print" });
    for (const hidden of ["navigation", "button"] as const) expect(await page.getByRole(hidden).count()).toBe(0);
    expect(await page.getByRole("article").count()).toBeGreaterThan(0);
  });
});
