import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { LightMyRequestResponse } from "fastify";
import { afterAll, beforeAll, expect, test } from "vitest";
import { article, openWeb, type OpenWeb } from "./open.ts";

let site: OpenWeb;
let cookie = "";
let csrf = "";

beforeAll(async () => {
  site = await openWeb();
  const link = new URL(readFileSync(join(site.app.config.dataDir, "setup"), "utf8").trim()).pathname;
  const password = "kettle marble orbit tulip";
  const signedIn = await post(link, { name: "Ada", password, repeated: password });
  cookie = String(signedIn.headers["set-cookie"]).split(";")[0]!;
  csrf = /name="csrf" value="([\w-]+)"/.exec((await get("/operator")).body)![1]!;
  await site.api("POST", "/articles", [article(1, ["lg u+"]), article(2, ["huawei"]), article(3, ["lg u+", "c++"])]);
});
afterAll(() => site.close());

function get(url: string): Promise<LightMyRequestResponse> {
  return site.inject({ method: "GET", url, headers: { cookie, accept: "text/html" } });
}

function post(url: string, fields: Record<string, string> = {}): Promise<LightMyRequestResponse> {
  const headers = { cookie, "content-type": "application/x-www-form-urlencoded" };
  return site.inject({ method: "POST", url, headers, payload: new URLSearchParams({ csrf, ...fields }).toString() });
}

/** Headlines in the order of the mail. */
async function order(): Promise<string[]> {
  const { body } = await get("/operator/preview.html");
  return [...new Set(body.match(/Headline \d/g))];
}

test("the coming edition is seen as a reader of any tags gets it, with its size", async () => {
  const { body } = await get("/operator/preview?tags=lg+u%2B");
  expect(body).toContain("The coming edition, Wednesday, November 25, 2026");
  expect(body).toMatch(/\d+ kB of HTML, of the 102 kB that Gmail shows/);
  const frame = /<iframe[^>]+src="([^"]+)"/.exec(body)![1]!;
  const mail = (await get(frame.replaceAll("&amp;", "&"))).body;
  expect(mail).toContain("Headline 3");
  expect(mail).not.toContain("Headline 2");
  expect((await get("/operator/preview?tags=nothing")).body).toContain("No article has ever had the tag nothing.");
  expect((await get("/operator/preview?tags=lg+u%2B&view=source")).body).toContain("MIME-Version: 1.0");
});

test("an editor reorders it, leaves an article out, words it anew, and is told when somebody was quicker", async () => {
  const [first, second, third] = await order();
  const id = (headline: string): string => headline.slice(-1);
  await post(`/operator/preview/articles/${id(third!)}/lead`, { revision: "0" });
  expect(await order()).toEqual([third, first, second]);
  await post(`/operator/preview/articles/${id(first!)}/down`);
  expect(await order()).toEqual([third, second, first]);
  await post(`/operator/preview/articles/${id(second!)}/out`);
  expect(await order()).toEqual([third, first]);
  expect(
    (await post("/operator/preview/words", { introduction: "Good morning.", subject: "Own subject", revision: "0" }))
      .statusCode,
  ).toBe(409);
  const { body } = await get("/operator/preview");
  const revision = /name="revision" value="(\d+)"/.exec(body)![1]!;
  const words = { introduction: "Good morning.", subject: "Own subject", revision };
  expect((await post("/operator/preview/words", words)).headers.location).toBe("/operator/preview?done=edit#edit");
  expect((await get("/operator/preview")).body).toContain("Own subject");
  expect((await get("/operator/preview.html")).body).toContain("Good morning.");
  await post(`/operator/preview/articles/${id(first!)}/words`, { title: "In our words", summary: "" });
  expect((await get("/operator/preview.html")).body).toContain("In our words");
  expect((await post("/operator/preview/test", { address: "ada@example.com", tags: "lg u+" })).statusCode).toBe(303);
});
