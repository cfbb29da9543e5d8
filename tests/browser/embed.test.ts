import { simpleParser } from "mailparser";
import type { BrowserContextOptions, Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { networkOf } from "../../src/abuse/network.ts";
import { setHidden } from "../../src/articles/change-tags.ts";
import { openArticleSite, type ArticlePage, type ArticleSite } from "./article-site.ts";
import { faultsOf } from "./look.ts";
import { textOf } from "../support/text.ts";

const strict = "default-src 'none'; base-uri 'none'; require-trusted-types-for 'script'";
const look = "Check your inbox";

let site: ArticleSite;
beforeAll(async () => {
  site = await openArticleSite();
});
afterAll(() => site.close());

interface Visit {
  page: Page;
  /** Everything asked for, `GET http://…`. */
  requests: string[];
  /** What a policy stopped, on either side. */
  violations: string[];
}

/** Opens an article page in a browser of its own. */
async function visit(article: ArticlePage, use: (visit: Visit) => Promise<void>, options: BrowserContextOptions = {}) {
  const context = await site.browser.newContext(options);
  try {
    const page = await context.newPage();
    const requests: string[] = [];
    const violations: string[] = [];
    page.on("request", (request) => requests.push(`${request.method()} ${request.url()}`));
    page.on("console", (message) => {
      if (/Content.Security.Policy|Trusted ?Type/i.test(message.text())) violations.push(message.text());
    });
    page.on("pageerror", (error) => violations.push(error.message));
    await page.goto(site.publish(article));
    await use({ page, requests, violations });
  } finally {
    await context.close();
  }
}

const articlePage = (body: string, policy = `${strict}; ${site.example("text", 0)}`): ArticlePage => ({
  html: `<!doctype html><html lang="en"><meta charset="utf-8"><title>Article</title><main><h1>Article</h1>${body}</main></html>`,
  headers: { "content-security-policy": policy, "cross-origin-embedder-policy": "require-corp" },
});
const boxOf = (page: Page, nth = 0) => page.locator("dayletter-box").nth(nth);
const addressOf = (page: Page, nth = 0) => boxOf(page, nth).getByLabel("Email address", { exact: true });
const mailTo = async (address: string) => {
  const messages = () => site.sink.messages.filter((one) => one.to === address);
  while (messages().length === 0) await site.sink.waitFor(site.sink.count() + 1);
  return simpleParser(messages()[0]!.raw);
};
const consentOf = (address: string) =>
  site.app.db
    .selectFrom("consents")
    .innerJoin("subscribers", "subscribers.id", "consents.subscriber_id")
    .select(["tags", "consents.all_tags", "form_url", "requested_from", "subscribers.status"])
    .where("address", "=", address)
    .executeTakeFirst();

test("one line from the handbook, in a page with a strict policy, signs a reader up for lg u+", async () => {
  const article = articlePage(site.example("html", 0));
  await visit(article, async ({ page, requests, violations }) => {
    const box = boxOf(page);
    await box.getByText("한국 Telecoms by email").waitFor();
    await page.waitForLoadState("networkidle");
    expect(requests.slice(1)).toEqual([`GET ${site.alerts}/embed.js`]);
    for (const tag of ["lg u+", "huawei", "Korea"])
      expect(await box.getByLabel(tag, { exact: true }).isChecked()).toBe(true);
    expect(await box.getByLabel("All news").isChecked()).toBe(false);

    await box.getByLabel("huawei").uncheck();
    expect(await box.getByRole("link", { name: "Sample copy" }).getAttribute("href")).toBe(
      `${site.alerts}/sample?tags=lg%20u%2B&tags=Korea`,
    );
    await addressOf(page).fill("ada@example.com");
    await page.keyboard.press("Enter");
    await box.getByRole("status").getByText(look).waitFor();
    expect(await addressOf(page).isVisible()).toBe(false);

    const mail = await mailTo("ada@example.com");
    expect(mail.text).toMatch(/https:\/\/alerts\.example\/confirm\/[\w-]+/);
    expect(await consentOf("ada@example.com")).toMatchObject({
      tags: ["Korea", "lg u+"],
      all_tags: false,
      form_url: page.url(),
      status: "pending",
    });
    expect(violations).toEqual([]);
    expect(requests.filter((one) => !one.includes(` ${site.news}/`) && !one.includes(` ${site.alerts}/`))).toEqual([]);
    expect(await page.context().cookies()).toEqual([]);
    expect(await page.evaluate("localStorage.length + sessionStorage.length")).toBe(0);
  });
});

test("what is wrong is said at its place and can be mended, and a tag without an article is followed", async () => {
  const hide = { tag: "Korea", hidden: true, actor: "test" };
  await setHidden(site.app, hide);
  const script = `<script src="${site.alerts}/embed.js" data-tags="lg u, lg u+, KOREA" async></script>`;
  await visit(articlePage(script), async ({ page, violations }) => {
    const box = boxOf(page);
    await addressOf(page).fill("ada@");
    expect(await box.locator("bdi").allTextContents()).toEqual(["lg u", "lg u+"]);
    await box.getByRole("button", { name: "Sign up" }).click();
    await box.getByText("Enter your email address").waitFor();
    expect(await addressOf(page).getAttribute("aria-invalid")).toBe("true");
    await addressOf(page).fill(`${"a".repeat(65)}@example.com`);
    await box.getByLabel("lg u", { exact: true }).uncheck();
    await box.getByRole("button").click();
    await box.getByText("is not an email address. Enter").waitFor();
    expect(await page.evaluate("document.activeElement.shadowRoot.activeElement.name")).toBe("address");
    await box.getByLabel("lg u+", { exact: true }).uncheck();
    await box.getByRole("button").click();
    await box.getByText(textOf("embed.no_tag")).waitFor();

    for (const tag of ["lg u", "lg u+"]) await box.getByLabel(tag, { exact: true }).check();
    await addressOf(page).fill("bob@example.com");
    await box.getByRole("button").click();
    await box.getByText(textOf("subscribe.new_tags", { n: 1, tags: "lg u" })).waitFor();
    await mailTo("bob@example.com");
    expect(await consentOf("bob@example.com")).toMatchObject({ tags: ["lg u+", "lg u"] });
    expect(violations).toEqual([]);
  });
  await setHidden(site.app, { ...hide, hidden: false });
});

test("several boxes stand in one old page in another charset, each once, whatever its styles are", async () => {
  const src = `${site.alerts}/embed.js`;
  const html = `<html><head><script src="${src}" data-target="here" data-tags='["Paris, Texas"]' async></script></head>
    <body><style>* { color: red !important; letter-spacing: 9px; display: block }</style>
    <p><script src="${src}" data-tags="huawei" data-accent="gold" data-theme="dark" data-label="\xbc\xd2\xbd\xc4" data-lang="ko"></script>
    <div id="here">Loading</div><script src="${src}" data-target="here" async></script><script src="${src}"></script>`;
  const headers = { "content-type": "text/html; charset=euc-kr" };
  await visit({ html: Buffer.from(html, "latin1"), headers }, async ({ page, violations }) => {
    await boxOf(page, 2).getByText("All news").waitFor();
    await page.waitForLoadState("networkidle");
    expect(await page.evaluate("document.compatMode + document.characterSet")).toBe("BackCompatEUC-KR");
    expect(await page.locator("dayletter-box").count()).toBe(3);
    const title = boxOf(page, 0).getByText("소식");
    expect(await title.getAttribute("lang")).toBe("ko");
    expect(await boxOf(page, 1).getByLabel("Paris, Texas").isChecked()).toBe(true);
    await page.locator("#here").getByText("한국 Telecoms by email").waitFor();
    expect(await boxOf(page, 2).getByLabel("All news").isChecked()).toBe(true);
    const button = "document.querySelector('dayletter-box').shadowRoot.querySelector('button')";
    const style = (what: string) => page.evaluate<string>(`getComputedStyle(${button}).${what}`);
    expect(await style("letterSpacing")).toBe("normal");
    expect([await style("backgroundColor"), await style("color")]).toEqual(["rgb(255, 215, 0)", "rgb(0, 0, 0)"]);
    expect(violations).toEqual([]);
  });
});

test.each([
  ["phone, light", { viewport: { width: 390, height: 844 }, colorScheme: "light" }],
  ["narrow column, dark", { viewport: { width: 280, height: 844 }, colorScheme: "dark" }],
] as const)(
  "on a %s the box has no fault for assistive technology, and does not scroll sideways",
  async (_name, options) => {
    const script = `<script src="${site.alerts}/embed.js" data-tags="${"n".repeat(60)}, lg u+" async></script>`;
    const article = articlePage(`<meta name="color-scheme" content="light dark">${script}`);
    await visit(
      { ...article, headers: {} },
      async ({ page }) => {
        await addressOf(page).fill("nobody");
        await page.keyboard.press("Enter");
        expect(await faultsOf(page, { frames: true })).toEqual([]);
      },
      options,
    );
  },
);

test("a policy that keeps the box from its server leaves the reader a way", async () => {
  const policy = `default-src 'none'; script-src ${site.alerts}`;
  await visit(articlePage(site.example("html", 0), policy), async ({ page }) => {
    await addressOf(page).fill("dan@example.com");
    await page.keyboard.press("Enter");
    await boxOf(page).getByText("This page could not send your sign-up.").waitFor();
    const link = boxOf(page).getByRole("link", { name: "Sign up on our own page" });
    expect(await link.getAttribute("href")).toBe(`${site.alerts}/subscribe?tags=lg%20u%2B&tags=huawei&tags=Korea`);
  });
});

test("without JavaScript the handbook's form signs up, and its link leads to a form with the tags ticked", async () => {
  const html = `${site.example("html", 1)}${site.example("html", 2)}`;
  const article = articlePage(html, `${strict}; ${site.example("text", 1)}`);
  const options = { javaScriptEnabled: false };
  await visit(
    article,
    async ({ page, violations }) => {
      await page.getByRole("link", { name: "Sign up for our free daily" }).click();
      await page.waitForURL(`${site.alerts}/subscribe?tags=lg%20u%2B,huawei,Korea`);
      for (const tag of ["lg u+", "huawei", "Korea"]) {
        expect(await page.locator(`input[type=checkbox][value="${tag}"]`).isChecked(), tag).toBe(true);
      }
      await page.goBack();
      await page.getByLabel("huawei").uncheck();
      await page.getByLabel("Email address").fill("eve@example.com");
      await page.getByRole("button", { name: "Sign up" }).click();
      await page.getByRole("heading", { name: look }).waitFor();
      expect(page.url()).toBe(`${site.alerts}/subscribe`);
      await mailTo("eve@example.com");
      expect(await consentOf("eve@example.com")).toMatchObject({ tags: ["Korea", "lg u+"] });
      expect(violations).toEqual([]);
    },
    options,
  );
});

test("when many sign up, the box works out a proof of work, and is let in where others must wait", async () => {
  while (!(await site.app.caps.admit(networkOf("127.0.0.1"), false)));
  await visit(articlePage(site.example("html", 0)), async ({ page, requests, violations }) => {
    await addressOf(page).fill("cy@example.com");
    await boxOf(page).getByRole("button").click();
    await boxOf(page).getByText(look).waitFor();
    await mailTo("cy@example.com");
    expect(requests).toContain(`GET ${site.alerts}/challenge`);
    expect(violations).toEqual([]);

    // Without TLS a browser has no Web Crypto.
    await page.goto(page.url().replace("localhost", "news.test"));
    await addressOf(page).fill("fay@example.com");
    await page.keyboard.press("Enter");
    await boxOf(page).getByText("This page could not send your sign-up.").waitFor();
  });
});
