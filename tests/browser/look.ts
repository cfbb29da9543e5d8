import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import type { AxeResults } from "axe-core";
import { HtmlValidate } from "html-validate";
import type { Browser, BrowserContextOptions, Page } from "playwright-core";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

/** The two that every page is looked at in. */
export const looks = [
  ["phone, light", { viewport: { width: 390, height: 844 }, colorScheme: "light" }],
  ["desktop, dark", { viewport: { width: 1280, height: 900 }, colorScheme: "dark" }],
] as const satisfies [string, BrowserContextOptions][];

/** A page in a browser profile of its own, by default on a phone. */
export async function withPage(
  browser: Browser,
  options: BrowserContextOptions,
  use: (page: Page) => Promise<void>,
): Promise<void> {
  const context = await browser.newContext({ ...looks[0][1], ...options });
  try {
    context.setDefaultTimeout(20_000);
    await use(await context.newPage());
  } finally {
    await context.close();
  }
}

/** Rules whose answer depends on colours and widths; the others say the same of the same HTML. */
const ofLook = ["color-contrast", "link-in-text-block", "target-size", "scrollable-region-focusable"];

/**
 * What stands in somebody's way: faults for assistive technology, of whatever weight, and scrolling sideways. In the dark
 * look, which comes second, only what depends on it.
 */
export async function faultsOf(page: Page, { frames = false } = {}): Promise<string[]> {
  await page.evaluate(axe);
  const dark = await page.evaluate<boolean>("matchMedia('(prefers-color-scheme: dark)').matches");
  const options = JSON.stringify({ iframes: frames, ...(dark ? { runOnly: ofLook } : {}) });
  const { violations } = await page.evaluate<AxeResults>(`axe.run(document, ${options})`);
  const faults = violations.map(({ id, nodes }) => `${id}: ${nodes[0]?.html}`);
  const [content, width] = await page.evaluate<[number, number]>("[document.documentElement.scrollWidth, innerWidth]");
  return content > width ? [...faults, `${content} px wide in ${width} px`] : faults;
}

const validator = new HtmlValidate({
  extends: ["html-validate:recommended"],
  // Boxes of one name are how HTML says "any of these"; the rule is for fields that overwrite each other.
  rules: { "form-dup-name": ["error", { shared: ["radio", "checkbox", "submit", "button", "reset"] }] },
});

/** What is not valid HTML, a line each. */
export async function invalidIn(html: string): Promise<string[]> {
  const { results } = await validator.validateString(html);
  return results.flatMap(({ messages }) => messages.map((one) => `${one.line}: ${one.ruleId}: ${one.message}`));
}
