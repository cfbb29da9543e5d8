import { gunzipSync } from "node:zlib";
import { afterAll, beforeAll, expect, test } from "vitest";
import { makeEmbedScript } from "../../../src/web/embed/embed.ts";
import { openWording } from "../../../src/texts/catalogue.ts";
import { article, openWeb, type OpenWeb } from "./open.ts";
import { textOf } from "../../support/text.ts";

const origin = "https://news.example";
let site: OpenWeb;

beforeAll(async () => {
  site = await openWeb({ PUBLICATION_NAME: "한국 통신 </script>" });
  await site.api("POST", "/articles", [article(1, ["lg u+", "huawei"])]);
});
afterAll(() => site.close());

const get = (url: string, headers: Record<string, string> = {}) => site.inject({ method: "GET", url, headers });
const post = (payload: object, headers: Record<string, string> = {}) =>
  site.inject({ method: "POST", url: "/subscribe", payload, headers: { origin, ...headers } });
const signups = () => site.app.db.selectFrom("signups").selectAll().execute();

test("the script is small, ASCII, cached for an hour, and sent again only after it changed", async () => {
  const plain = await get("/embed.js");
  expect(plain.statusCode).toBe(200);
  expect(plain.headers).toMatchObject({
    "content-type": "text/javascript; charset=utf-8",
    "cache-control": "public, max-age=3600",
    "cross-origin-resource-policy": "cross-origin",
    vary: "accept-encoding",
  });
  expect(plain.body).toMatch(/^[\n\x20-\x7e]+$/);
  expect(plain.body).toContain(String.raw`"\ud55c\uad6d \ud1b5\uc2e0 </script>"`);
  const etag = String(plain.headers["etag"]);
  for (const given of [etag, `"x", ${etag}`, etag.slice(2), "*"]) {
    const again = await get("/embed.js", { "if-none-match": given });
    expect([again.statusCode, again.body, again.headers["etag"]]).toEqual([304, "", etag]);
  }
  expect((await get("/embed.js", { "if-none-match": '"other"' })).statusCode).toBe(200);

  const packed = await get("/embed.js", { "accept-encoding": "br, gzip" });
  expect(packed.headers["content-encoding"]).toBe("gzip");
  expect(packed.rawPayload.length).toBeLessThan(6_144);
  expect(gunzipSync(packed.rawPayload).toString()).toBe(plain.body);
  expect((await get("/embed.js", { "accept-encoding": "gzip;q=0" })).headers).not.toHaveProperty("content-encoding");
});

test("changed settings change the ETag", () => {
  const make = (name: string) =>
    makeEmbedScript(
      { name, wording: "w", policies: [], accent: { light: "#000000", dark: "#ffffff" }, hidden: [] },
      openWording("en"),
    );
  expect(make("A").etag).not.toBe(make("B").etag);
  expect(make("A").etag).toBe(make("A").etag);
  expect(make("$& $1 `").plain).toContain('"name":"$& $1 `"');
});

test("other origins may use the three routes of the box, without credentials, and no others", async () => {
  for (const [url, method] of [
    ["/embed/form", "GET"],
    ["/challenge", "GET"],
    ["/subscribe", "POST"],
  ] as const) {
    const headers = {
      origin,
      "access-control-request-method": method,
      "access-control-request-headers": "content-type",
    };
    const preflight = await site.inject({ method: "OPTIONS", url, headers });
    expect(preflight.statusCode).toBe(204);
    expect(preflight.headers).toMatchObject({
      "access-control-allow-origin": "*",
      "access-control-allow-methods": method,
      "access-control-allow-headers": "content-type",
    });
    expect(preflight.headers).not.toHaveProperty("access-control-allow-credentials");
  }
  for (const url of ["/", "/editions", "/sample", "/healthz", "/api/v1/openapi.json", "/nothing"]) {
    const answer = await get(url, { origin });
    expect(answer.headers, url).not.toHaveProperty("access-control-allow-origin");
  }
  const form = await get("/embed/form", { origin });
  expect(form.headers).toMatchObject({ "access-control-allow-origin": "*", "cache-control": "no-store" });
  expect(form.json()).toEqual({ t: expect.any(String), challenge: false, waitMs: 3_000 });
});

test("a sign-up from another origin is stored with its tags and page, and errors are answered as JSON", async () => {
  const { t } = (await get("/embed/form", { origin })).json<{ t: string }>();
  site.clock.at = new Date(site.clock.at.getTime() + 5_000);
  const formUrl = "https://news.example/usa-pressuring";
  const order = { address: "ada@example.com", tags: ["lg u+"], allTags: false, formUrl, website: "", t };
  for (const [payload, status, details] of [
    [{ ...order, address: "ada" }, 422, { field: "address" }],
    [{ ...order, tags: ["n".repeat(61)] }, 422, { field: "tags", unknown: ["n".repeat(61)] }],
    [{ ...order, altcha: "e30=" }, 403, { challenge: true }],
  ] as const) {
    const answer = await post(payload, { "sec-fetch-site": "cross-site" });
    expect(answer.statusCode).toBe(status);
    expect(answer.headers["access-control-allow-origin"]).toBe("*");
    expect(answer.json()).toMatchObject({ status, detail: expect.stringMatching(/\.$/), details });
  }
  expect(await signups()).toEqual([]);
  const taken = await post(order, { "sec-fetch-site": "cross-site" });
  expect(taken.statusCode).toBe(200);
  expect(taken.headers["access-control-allow-origin"]).toBe("*");
  expect(taken.json()).toEqual({ ok: true, message: expect.any(String), newTags: [] });
  expect(await signups()).toMatchObject([{ address: "ada@example.com", form_url: formUrl, all_tags: false }]);
});

test("the form without a script works from another origin, with stricter limits", async () => {
  const before = (await signups()).length;
  const send = (remoteAddress: string) =>
    site.inject({
      method: "POST",
      url: "/subscribe",
      remoteAddress,
      payload: "address=eve%40example.com&tags=lg+u%2B&tags=huawei",
      headers: {
        "content-type": "application/x-www-form-urlencoded",
        "sec-fetch-site": "cross-site",
        referer: `${origin}/`,
        origin,
      },
    });
  const statuses: number[] = [];
  for (let n = 0; n < 6; n += 1) statuses.push((await send("192.0.2.7")).statusCode);
  expect(statuses).toEqual([200, 200, 200, 200, 200, 422]);
  const over = await send("192.0.2.99");
  expect(over.body).toContain(textOf("error.form_stale"));
  expect(over.body).toContain('value="eve@example.com"');
  expect((await send("198.51.100.7")).statusCode).toBe(200);
  const rows = await signups();
  expect(rows.length - before).toBe(6);
  expect(rows.at(-1)).toMatchObject({ form_url: `${origin}/`, tag_ids: [1, 2] });
});
