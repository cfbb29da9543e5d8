import type { AddressInfo } from "node:net";
import { chromium, type Browser } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { sendEveryMail, type EveryMail } from "../support/every-mail.ts";
import { chromium as chromiumPath } from "../support/kinds.ts";

let mails: EveryMail;
let browser: Browser;
beforeAll(async () => {
  mails = await sendEveryMail();
  await mails.web.listen({ host: "127.0.0.1", port: 0 });
  browser = await chromium.launch({ executablePath: chromiumPath()!, args: ["--no-sandbox"] });
});
afterAll(async () => {
  await browser?.close();
  await mails?.close();
});

test("a scanner that opens every link of every mail in a browser, twice, with JavaScript on, changes nothing", async () => {
  const origin = `http://127.0.0.1:${(mails.web.server.address() as AddressInfo).port}`;
  const before = await mails.records();
  const page = await browser.newPage();
  const posts: string[] = [];
  page.on("request", (request) => void (request.method() === "GET" || posts.push(request.url())));
  const links = new Set([...mails.links.values()].flat());
  for (const time of [1, 2]) {
    for (const url of links) {
      const answer = await page.goto(origin + url, { waitUntil: "networkidle" });
      expect(answer!.status(), `${url}, time ${time}`).toBe(200);
    }
  }
  expect(posts).toEqual([]);
  expect(await mails.records()).toEqual(before);
});
