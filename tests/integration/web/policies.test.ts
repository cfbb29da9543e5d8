import { afterAll, beforeAll, expect, test } from "vitest";
import { article, openWeb, type OpenWeb } from "./open.ts";

const privacy = "https://example.com/privacy?a=1&b=2";
const imprint = "https://example.com/imprint";
let site: OpenWeb;
beforeAll(async () => {
  site = await openWeb({ PRIVACY_URL: privacy, IMPRINT_URL: imprint });
  await site.api("POST", "/articles", [article(1, ["huawei"])]);
});
afterAll(() => site.close());

const body = async (url: string) => (await site.inject({ method: "GET", url })).body;
const linksIn = (html: string) =>
  [...html.matchAll(/href="(https:\/\/example\.com\/[^"]+)"/g)].map((match) => match[1]);
const both = [privacy.replace("&", "&amp;"), imprint];

test("every readers' page links the privacy policy and the imprint in its footer, and forms beside the consent", async () => {
  for (const url of ["/editions", "/tags/huawei", "/nothing", "/confirm/x"])
    expect(linksIn(await body(url)), url).toEqual(both);
  for (const url of ["/", "/subscribe"]) expect(linksIn(await body(url)), url).toEqual([...both, ...both]);
  expect(linksIn(await body("/sample"))).toEqual([...both, ...both]);
});

test("the sign-up box links both, and a server without them has no such links", async () => {
  for (const url of [privacy, imprint]) expect(await body("/embed.js")).toContain(JSON.stringify(url));
  const other = await openWeb();
  const page = await other.inject({ method: "GET", url: "/subscribe" });
  expect(page.body).not.toContain("policies");
  await other.close();
});
