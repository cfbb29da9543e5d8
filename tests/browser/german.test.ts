import type { Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { findByAddress } from "../../src/subscribers/store.ts";
import { faultsOf, withPage } from "./look.ts";
import { openReaderSite, type ReaderSite } from "./reader-site.ts";

const address = "lena@example.com";

let site: ReaderSite;
beforeAll(async () => {
  site = await openReaderSite({ LANGUAGE: "de", PUBLICATION_NAME: "Telekom-Nachrichten", TIMEZONE: "Europe/Berlin" });
});
afterAll(() => site.close());

const linkIn = (text: string, path: string) => new RegExp(`${site.url}/${path}/[\\w-]+`).exec(text)![0];
const reader = () => findByAddress(site.app.db, address);

/** The page has this heading, is German from end to end, and stands in nobody's way. */
async function expectPage(page: Page, heading: string): Promise<void> {
  await page.getByRole("heading", { name: heading, level: 1 }).waitFor();
  expect(await page.locator("html").getAttribute("lang")).toBe("de");
  expect(await page.locator("body").innerText()).not.toMatch(/\b(the|you|your|news|mail is|subscri\w+)\b/i);
  expect(await faultsOf(page), heading).toEqual([]);
}

async function press(page: Page, button: string): Promise<void> {
  // Somebody takes time over a form.
  site.clock.advance(10_000);
  await page.getByRole("button", { name: button, exact: true }).click();
}

test("a reader signs up, mends a mistake, confirms, changes tags, pauses and leaves, all of it in German", async () => {
  await withPage(site.browser, { timezoneId: "Asia/Seoul", locale: "de-DE" }, async (page) => {
    await page.goto(`${site.url}/subscribe`);
    await page.getByRole("searchbox").fill("zz");
    await page.getByText("Zum Thema „zz“ gab es noch keinen Artikel.").waitFor();
    await page.getByRole("searchbox").fill("c+");
    await page.getByText("Gefundene Themen: 1").waitFor();
    await page.getByLabel("c++").check();
    const field = page.getByLabel("Ihre E-Mail-Adresse");
    await field.fill(`${"a".repeat(65)}@example.com`);
    await press(page, "Anmelden");
    await expectPage(page, "Bitte prüfen Sie Ihre Angaben");
    expect(await page.getByRole("alert").innerText()).toMatch(/^„a+@example.com“ ist keine E-Mail-Adresse: Geben Sie/);

    await field.fill(address);
    await press(page, "Anmelden");
    await expectPage(page, "Schauen Sie in Ihr Postfach");
    const asked = await site.mail(address, 1);
    expect(asked.subject).toBe("Bitte bestätigen: Telekom-Nachrichten");
    await page.goto(linkIn(asked.text, "confirm"));
    await expectPage(page, "Bestätigen Sie Ihre Anmeldung");
    await press(page, "Ja, ich möchte die Mails");
    await expectPage(page, "Sie sind angemeldet");
    expect(await reader()).toMatchObject({ status: "active", tags: ["c++"], timezone: null });

    await page.getByRole("link", { name: "Themen und Zeiten ändern" }).click();
    await page.getByLabel("Tag 17").check();
    await press(page, "Diese Themen speichern");
    await page.getByText("Gespeichert. Sie erhalten morgens eine Mail").waitFor();
    await press(page, "Eine Woche Pause");
    await page.getByText("Bis Dienstag, 1. Dezember kommt keine Mail.").waitFor();
    await expectPage(page, "Einstellungen");
    expect((await reader())!.tags).toEqual(["c++", "Tag 17"]);

    await page.getByRole("link", { name: "Abmelden" }).click();
    await expectPage(page, "Abmelden");
    await press(page, "Jetzt abmelden");
    await expectPage(page, "Sie sind abgemeldet");
    expect((await reader())!.status).toBe("unsubscribed");
  });
});

test("the sign-up box says in which language it speaks, on a page in another one", async () => {
  await withPage(site.browser, {}, async (page) => {
    const script = `<script src="${site.url}/embed.js" data-tags="lg u+" async></script>`;
    await page.setContent(`<html lang="ko"><title>소식</title><body><main><h1>소식</h1>${script}</main></body></html>`);
    const box = page.locator("dayletter-box");
    await box.getByRole("button", { name: "Anmelden" }).click();
    await box.getByText("Geben Sie Ihre E-Mail-Adresse ein, etwa name@example.com.").waitFor();
    expect(await box.getByText("Telekom-Nachrichten per Mail").getAttribute("lang")).toBe("de");
    expect(await box.locator("form").getAttribute("lang")).toBe("de");
    expect(await box.locator("bdi").getAttribute("lang")).toBe("ko");
    expect(await faultsOf(page, { frames: true })).toEqual([]);
  });
});
