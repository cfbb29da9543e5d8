import { readFileSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { HtmlValidate } from "html-validate";
import { sql } from "kysely";
import { chromium, type Browser, type BrowserContextOptions, type Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { closeEdition } from "../../src/editions/close.ts";
import { openDue } from "../../src/editions/due.ts";
import { loadSchedule } from "../../src/schedule/store.ts";
import { article, openWeb, type OpenWeb } from "../integration/web/open.ts";
import { chromium as chromiumPath } from "../support/kinds.ts";
import { faultsOf, looks } from "./look.ts";

const password = "kettle marble orbit tulip";

interface Dashboard {
  site: OpenWeb;
  url: string;
}

let site: OpenWeb;
let browser: Browser;
let url: string;
let session: Exclude<BrowserContextOptions["storageState"], string | undefined>;

beforeAll(async () => {
  browser = await chromium.launch({ executablePath: chromiumPath()!, args: ["--no-sandbox"] });
  ({ site, url } = await openDashboard());
});
afterAll(async () => {
  await browser.close();
  await site.close();
});

/** A publication with two articles and ten readers, whose set-up link nobody has followed yet. */
async function openDashboard(): Promise<Dashboard> {
  const opened = await openWeb({ PUBLIC_URL: "http://localhost:3000", APPROVAL: "hold", SEND_AT: "09:00" });
  await opened.api("POST", "/articles", [
    article(1, ["lg u+", "huawei"], { title: "USA pressuring South Korean network to cancel Huawei deal" }),
    article(2, ["LTE"], { title: "Regulator puts the 2.6 GHz auction off until spring" }),
  ]);
  for (let i = 1; i <= 10; i++) {
    const consent = { method: "test" };
    await opened.api("POST", "/subscribers", {
      address: `reader${i}@example.com`,
      tags: ["huawei"],
      confirmed: true,
      consent,
    });
  }
  await opened.web.listen({ host: "127.0.0.1", port: 0 });
  return { site: opened, url: `http://127.0.0.1:${(opened.web.server.address() as AddressInfo).port}` };
}

async function withPage(options: BrowserContextOptions, use: (page: Page) => Promise<void>): Promise<void> {
  const context = await browser.newContext({ viewport: { width: 390, height: 844 }, ...options });
  context.setDefaultTimeout(20_000);
  const faults: string[] = [];
  context.on("weberror", (fault) => faults.push(fault.error().message));
  context.on("console", (said) => said.text().includes("Content Security Policy") && faults.push(said.text()));
  try {
    await use(await context.newPage());
    expect(faults).toEqual([]);
  } finally {
    await context.close();
  }
}

/** As if a worker had handed mails to the relay. */
async function send({ app, clock }: OpenWeb, most: number): Promise<void> {
  await sql`update deliveries set state = 'sent', reply = '250 taken', settled_at = ${clock.at}
    where id in (select id from deliveries where state = 'pending' order by id limit ${most})`.execute(app.db);
}

/** A press beside a frame that has just been scrolled away would go into the frame: Chromium learns of it with the next paint. */
async function press(page: Page, name: string): Promise<void> {
  const button = page.getByRole("button", { name });
  await button.scrollIntoViewIfNeeded();
  await page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))");
  await button.click();
}

const sentence = (page: Page, text: string): Promise<void> => page.getByRole("heading", { name: text }).waitFor();

/** A dashboard's first day, from its set-up link on. */
async function firstDay(dashboard: Dashboard, page: Page): Promise<void> {
  await page.goto(
    dashboard.url + new URL(readFileSync(join(dashboard.site.app.config.dataDir, "setup"), "utf8").trim()).pathname,
  );
  await page.getByLabel("Name").fill("Ada");
  for (const name of ["password", "repeated"]) await page.locator(`[name=${name}]`).fill(password);
  await page.locator("form button[type=submit]").first().click();
  await page.waitForURL(/\/operator(\/setup)?$/);
  await page.goto(`${dashboard.url}/operator`);
  await sentence(page, "Today’s edition will be sent at 09:00, in 60 minutes.");

  await page.getByRole("link", { name: "Preview next edition" }).click();
  await press(page, "Make lead article");
  await page.getByText("Not saved yet: order.").waitFor();
  await press(page, "Save edition");
  await page.getByText("Saved: order.").waitFor();

  dashboard.site.clock.at = new Date("2026-11-24T08:55:00Z");
  await page.goto(`${dashboard.url}/operator`);
  await sentence(page, "Today’s edition will be sent at 09:00, in 5 minutes.");
  dashboard.site.clock.at = new Date("2026-11-24T09:00:30Z");
  await openDue(dashboard.site.app, await loadSchedule(dashboard.site.app.db));
  await dashboard.site.render(1);
  await sentence(page, "Today’s edition is held. 10 readers will get it when you approve it.");
  await page.getByRole("link", { name: "Preview edition" }).first().click();
  await page.getByLabel("Introduction").fill("Good morning.");
  await page.getByRole("button", { name: "Save edition" }).click();
  await page.frameLocator("iframe").getByText("Good morning.").waitFor();
  await page.getByRole("link", { name: "Edition 2026-11-24" }).click();
  await page.getByRole("link", { name: "Approve and send to 10 readers" }).click();
  await page.getByRole("button", { name: "Approve and send to 10 readers" }).click();
  await page.getByText("Approved. The edition is being sent.").waitFor();

  await page.getByRole("link", { name: "Today" }).click();
  await sentence(page, "Today’s edition is being sent. 0 of 10 readers have it.");
  await send(dashboard.site, 4);
  await sentence(page, "Today’s edition is being sent. 4 of 10 readers have it.");
  await page.reload();
  await send(dashboard.site, 1);
  await sentence(page, "Today’s edition is being sent. 5 of 10 readers have it.");
  await page.getByRole("button", { name: "Pause sending" }).click();
  await page.getByText("Paused. No more emails are sent until you resume.").waitFor();

  // Somebody else resumes it, elsewhere: this page says so by itself.
  await dashboard.site.api("POST", "/editions/2026-11-24/resume");
  await page.getByRole("button", { name: "Pause sending" }).waitFor();
  await page.getByText("Paused. No more emails").waitFor({ state: "detached" });
  await send(dashboard.site, 5);
  await closeEdition(dashboard.site.app, 1);
  await page.locator(".mark.finished").first().waitFor();

  await page.getByRole("link", { name: "Explain" }).first().click();
  await page.getByText("Matches huawei.").waitFor();
}

test("on a phone: set-up, preview, approve, live progress, pause, resume, finished, explain", async () => {
  await withPage(looks[0][1], async (page) => {
    await firstDay({ site, url }, page);
    session = await page.context().storageState();
  });
});

test("the same on a desktop", { timeout: 60_000 }, async () => {
  const other = await openDashboard();
  try {
    await withPage(looks[1][1], (page) => firstDay(other, page));
  } finally {
    await other.site.close();
  }
});

test("without JavaScript an operator sends an extra edition, pauses and resumes it", async () => {
  await site.api("POST", "/articles", [article(3, ["huawei"])]);
  await withPage({ ...looks[1][1], javaScriptEnabled: false, storageState: session }, async (page) => {
    await page.goto(`${url}/operator`);
    await page.getByRole("link", { name: "Send extra edition" }).click();
    await page.getByRole("button", { name: "Send extra edition to 10 readers" }).click();
    await page.getByText("The edition is being sent.").waitFor();
    await site.render(2);
    await page.reload();
    await page.getByRole("button", { name: "Pause sending" }).click();
    await page.getByRole("link", { name: "Resume sending to 10 readers" }).click();
    await page.getByRole("button", { name: "Resume sending to 10 readers" }).click();
    await page.getByText("Sending resumed.").waitFor();
    await page.getByRole("link", { name: "Today" }).click();
    await page.getByRole("link", { name: "View statistics" }).click();
    await page.getByRole("rowheader", { name: "2026-11-24.2" }).first().waitFor();
  });
});

test("all editions that go out are followed at once, and a page that cannot follow says so", async () => {
  await site.api("POST", "/articles", [article(4, ["huawei"])]);
  await site.api("POST", "/editions", { extra: true });
  await site.render(3);
  await withPage({ ...looks[1][1], storageState: session }, async (page) => {
    await page.goto(`${url}/operator`);
    await sentence(page, "Today’s extra edition (3) is being sent. 0 of 10 readers have it.");
    await send(site, 14);
    await sentence(page, "Today’s extra edition (3) is being sent. 4 of 10 readers have it.");
    await sentence(page, "Today’s extra edition (2) is being sent. 10 of 10 readers have it.");
    await page.locator(".domains").getByText("example.com").first().waitFor();
    await closeEdition(site.app, 2);
    await sentence(page, "Today’s extra edition (2) was sent to all 10 readers.");

    await page.route("**/operator/events*", (route) => route.abort());
    await page.reload();
    await page.getByText("Live updates are interrupted.").waitFor();
  });
});

test("a plot is drawn from its table once it is scrolled to, and is read by keys and by touch", async () => {
  await withPage({ storageState: session, hasTouch: true }, async (page) => {
    await page.goto(`${url}/operator`);
    expect(await page.locator("canvas").count()).toBe(0);
    await page.getByRole("link", { name: "View statistics" }).scrollIntoViewIfNeeded();
    await page.getByRole("link", { name: "90 days" }).click();
    const plot = page.getByRole("slider", { name: "Articles per edition" });
    await page.getByRole("slider", { name: "Active readers" }).and(page.locator("[aria-valuemax='89']")).waitFor();
    expect(await page.locator("canvas").count()).toBe(4);
    await page.getByText("Table").last().click();
    const table = page.locator("[data-plot]").last();
    const [names, counts] = await Promise.all(
      [table.locator("tbody th"), table.locator("tbody td")].map((cells) => cells.allTextContents()),
    );
    expect(await plot.getAttribute("aria-valuetext")).toBe(`${names![0]}: Articles ${counts![0]}`);

    await plot.focus();
    await page.keyboard.press("Home");
    expect(await plot.getAttribute("aria-valuenow")).toBe("0");
    expect(await plot.getAttribute("aria-valuetext")).toBe(`${names!.at(-1)}: Articles ${counts!.at(-1)}`);
    const { x, y, width } = (await plot.boundingBox())!;
    await page.touchscreen.tap(x + width - 16, y + 60);
    await expect.poll(() => plot.getAttribute("aria-valuenow")).toBe(String(names!.length - 1));

    const picture = () => page.evaluate<string>("[...document.querySelectorAll('canvas')].at(-1).toDataURL()");
    const light = await picture();
    await page.emulateMedia({ colorScheme: "dark" });
    await expect.poll(picture).not.toBe(light);
  });
});

test("the next edition is put in order by keyboard and by dragging, previewed while it is typed, and saved at once", async () => {
  await site.api(
    "POST",
    "/articles",
    [6, 7, 8].map((n) => article(n, ["huawei"])),
  );
  await withPage({ ...looks[1][1], storageState: session }, async (page) => {
    await page.goto(`${url}/operator/preview`);
    const titles = page.locator("[data-title]");
    expect(await titles.allTextContents()).toEqual(["Headline 8", "Headline 7", "Headline 6"]);
    await page.locator("[data-handle]").nth(2).focus();
    await page.keyboard.press("ArrowUp");
    expect(await titles.allTextContents()).toEqual(["Headline 8", "Headline 6", "Headline 7"]);
    await page.getByText("Not saved yet: order.").waitFor();
    const handle = page.locator("[data-handle]").first();
    await handle.scrollIntoViewIfNeeded();
    const [from, to] = [await handle.boundingBox(), await page.locator("[data-order] > li").nth(1).boundingBox()];
    await page.mouse.move(from!.x + 8, from!.y + 8);
    await page.mouse.down();
    await page.mouse.move(from!.x + 8, to!.y + to!.height - 4, { steps: 8 });
    await page.mouse.up();
    expect(await titles.allTextContents()).toEqual(["Headline 6", "Headline 8", "Headline 7"]);
    await page.getByLabel("Introduction").fill("Typed, not saved.");
    await page.getByText("Not saved yet: introduction, order.").waitFor();
    await page.frameLocator("iframe[data-look]:not(.next)").getByText("Typed, not saved.").waitFor();
    await press(page, "Save edition");
    await page.getByText("Saved: introduction, order.").waitFor();
    expect(await titles.allTextContents()).toEqual(["Headline 6", "Headline 8", "Headline 7"]);
  });
});

test("what another schedule would do is shown while it is typed", async () => {
  await withPage({ storageState: session }, async (page) => {
    await page.goto(`${url}/operator/schedule`);
    await page.getByLabel("Delivery time").first().fill("06:30");
    await page.getByRole("heading", { name: "Next five sends with this schedule" }).waitFor();
    await page.getByLabel("Delivery time").first().fill("");
    await page.getByText("is not a time of day").waitFor();
  });
});

test("no page of the dashboard has a serious fault for assistive technology, scrolls sideways, or is invalid", async () => {
  const paths = ["", "/editions", "/editions/2026-11-24", "/editions/2026-11-24.2/cancel", "/schedule", "/readers"];
  paths.push("/tags", "/tags/one?tag=huawei", "/readers/1", "/sources", "/preview", "/send", "/numbers?days=90");
  paths.push("/providers", "/relay", "/suppressions", "/suppressions?reason=bounce&since=2026-11-01");
  paths.push("/setup", "/settings", "/site", "/account", "/account/codes");
  const validator = new HtmlValidate({
    extends: ["html-validate:standard"],
    rules: { "no-inline-style": "error", "long-title": "off" },
  });
  for (const [, look] of looks) {
    await withPage({ ...look, storageState: session }, async (page) => {
      for (const path of paths) {
        const answer = await page.goto(`${url}/operator${path}`);
        expect(answer!.status(), path).toBe(200);
        // The same whatever the look, and half of the time of all this.
        const { results } =
          look.colorScheme === "dark" ? { results: [] } : await validator.validateString(await answer!.text());
        expect(
          results.flatMap(({ messages }) =>
            messages.map(({ ruleId, message, line }) => `${path}:${line} ${ruleId}: ${message}`),
          ),
        ).toEqual([]);
        expect(await faultsOf(page), path).toEqual([]);
      }
    });
  }
});
