import { afterAll, beforeAll, expect, test } from "vitest";
import { findByAddress } from "../../src/subscribers/store.ts";
import { addAllNewsReaders } from "../support/readers.ts";
import { textOf } from "../support/text.ts";
import { eventually } from "../support/world.ts";
import { faultsOf, invalidIn, looks, withPage } from "./look.ts";
import { openReaderSite, type ReaderSite } from "./reader-site.ts";

const dayMs = 24 * 3_600_000;
/** One reader of each for each look. */
const keeps = looks.map((_, i) => `keeps${i}@example.com`);
const silent = looks.map((_, i) => `silent${i}@example.com`);

let site: ReaderSite;
beforeAll(async () => {
  site = await openReaderSite({ ASK_AGAIN_MONTHS: "12" });
  await addAllNewsReaders(site.app, [...keeps, ...silent]);
  site.clock.advance(400 * dayMs);
  await site.app.wake("ask-again", {});
  await eventually("all are asked", async () => {
    const asked = await site.app.db.selectFrom("questions").select("id").execute();
    return asked.length === keeps.length + silent.length;
  });
  site.clock.advance(60_000);
  await site.app.wake("recover", {});
});
afterAll(() => site.close());

const keepLinkIn = (text: string) => new RegExp(`${site.url}/keep/[\\w-]+`).exec(text)![0];
const reader = async (address: string) => (await findByAddress(site.app.db, address))!;

test.each(looks.map(([name, look], i) => [name, look, i] as const))(
  "the email, its page and its button can be read and used: %s",
  async (_name, look, i) => {
    await withPage(site.browser, look, async (page) => {
      const hosts = new Set<string>();
      page.on("request", (request) => {
        if (/^https?:/.test(request.url())) hosts.add(new URL(request.url()).host);
      });
      const { html, text } = await site.mail(keeps[i]!, 1);
      await page.setContent(html);
      expect(await page.evaluate("document.documentElement.scrollWidth")).toBeLessThanOrEqual(look.viewport.width);
      expect([...hosts]).toEqual([]);
      await page.goto((await page.getByRole("link", { name: textOf("notice.question.button") }).getAttribute("href"))!);
      expect(page.url()).toBe(keepLinkIn(text));
      const faults = [...(await invalidIn(await page.content())), ...(await faultsOf(page))];
      await page.getByRole("button", { name: textOf("keep.submit") }).click();
      await page.getByRole("heading", { name: textOf("keep.kept") }).waitFor();
      expect([...faults, ...(await faultsOf(page))]).toEqual([]);
      expect([...hosts]).toEqual([new URL(site.url).host]);
    });
  },
);

test.each(looks.map(([name, look], i) => [name, look, i] as const))(
  "a paused reader comes back, or leaves, with the same link: %s",
  async (_name, look, i) => {
    const address = silent[i]!;
    const { text } = await site.mail(address, 1);
    site.clock.advance(31 * dayMs);
    await site.app.wake("ask-again", {});
    await eventually("the reader is paused", async () => (await reader(address)).pausedSince !== null);
    await withPage(site.browser, look, async (page) => {
      await page.goto(new RegExp(`${site.url}/preferences/[\\w-]+`).exec(text)![0]);
      const faults = await faultsOf(page);
      await page.goto(keepLinkIn(text));
      faults.push(...(await faultsOf(page)));
      await page.getByRole("button", { name: textOf("keep.again") }).click();
      await page.getByRole("heading", { name: textOf("keep.kept") }).waitFor();
      expect((await reader(address)).pausedSince).toBeNull();
      await page.goto(keepLinkIn(text));
      expect(await page.getByRole("button", { name: textOf("keep.again") }).count()).toBe(0);
      await page.getByRole("link", { name: textOf("unsubscribe.title") }).click();
      await page.getByRole("button", { name: textOf("unsubscribe.submit") }).click();
      await page.getByRole("heading", { name: textOf("unsubscribed.title") }).waitFor();
      expect((await reader(address)).status).toBe("unsubscribed");
      expect(faults).toEqual([]);
    });
  },
);
