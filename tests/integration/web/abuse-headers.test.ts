import { afterAll, beforeAll, expect, test } from "vitest";
import { addSubscriber } from "../../../src/subscribers/add.ts";
import { findByAddress } from "../../../src/subscribers/store.ts";
import { linkToken } from "../../../src/subscribers/tokens.ts";
import { openWeb, type OpenWeb } from "./open.ts";

let site: OpenWeb;
const routes = new Set<string>();
const paths = { preferences: "", unsubscribe: "" };

beforeAll(async () => {
  site = await openWeb();
  // Routes are made when the server is first asked for something.
  site.web.addHook("onRoute", ({ method, url }) => {
    for (const one of [method].flat()) routes.add(`${one} ${url}`);
  });
  await site.web.ready();
  await addSubscriber(site.app, {
    address: "ada@example.com",
    tags: [],
    allTags: true,
    confirmed: true,
    actor: "test",
  });
  const { key } = (await findByAddress(site.app.db, "ada@example.com"))!;
  for (const purpose of ["preferences", "unsubscribe"] as const) {
    paths[purpose] = linkToken(site.app.options.secret, purpose, key);
  }
});
afterAll(() => site.close());

/** An address that the route takes, a reader's own where it is a reader's page. */
function fill(url: string): string {
  const purpose = url.startsWith("/unsubscribe") ? "unsubscribe" : "preferences";
  return url
    .replace(":token", paths[purpose])
    .replace(":date", "2026-11-24")
    .replace(/:\w+|\*/g, "1");
}

const personal =
  /^\/(confirm|change-address|preferences|unsubscribe|outbox|challenge|embed\/form|healthz|readyz|api\/v1\/(?!openapi))/;

test("every route's answers, including errors, carry the headers that isolate a page", async () => {
  expect(routes.size).toBeGreaterThan(30);
  for (const route of routes) {
    const [method, url] = route.split(" ") as ["GET" | "POST", string];
    const { headers, statusCode } = await site.inject({ method, url: fill(url) });
    const policy = String(headers["content-security-policy"]);
    // BullMQ's board is a program of its own, with a base address in its page.
    const base = route.includes("/operator/queues") ? "base-uri 'self'" : "base-uri 'none'";
    for (const rule of ["default-src 'none'", base, "frame-ancestors '"]) expect(policy, route).toContain(rule);
    expect(policy, route).not.toMatch(/script-src[^;]*(unsafe|http|\*|data:|blob:)|frame-ancestors[^;]*(http|\*)/);
    expect(headers, route).toMatchObject({
      "x-content-type-options": "nosniff",
      "referrer-policy": "no-referrer",
      "strict-transport-security": "max-age=31536000",
    });
    expect(headers, route).not.toHaveProperty("set-cookie");
    expect(headers, route).not.toHaveProperty("x-powered-by");
    // What changes something, and what is somebody's, is not kept by any cache.
    if (method === "POST" || personal.test(url))
      expect(headers["cache-control"], `${route} ${statusCode}`).toBe("no-store");
  }
});

test("without https, no answer has the HSTS header", async () => {
  const plain = await openWeb({ PUBLIC_URL: "http://localhost:3000" });
  const { headers } = await plain.inject({ method: "GET", url: "/" });
  await plain.close();
  expect(headers).not.toHaveProperty("strict-transport-security");
});
