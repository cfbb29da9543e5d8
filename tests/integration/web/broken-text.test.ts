import type { HTTPMethods, InjectOptions } from "fastify";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openSession } from "../../../src/operators/sessions.ts";
import { hookSettings } from "../../support/hook-calls.ts";
import { openWeb, token, type OpenWeb } from "./open.ts";

interface Route {
  method: HTTPMethods;
  url: string;
  query: string[];
  body: string[];
}

let site: OpenWeb;
const routes: Route[] = [];
let session = { cookie: "", "x-csrf-token": "" };

/** Of a Zod object; one made-up name where a route declares none. */
function fieldsOf(schema: unknown): string[] {
  const names = Object.keys((schema as { shape?: object } | undefined)?.shape ?? {});
  return names.length > 0 ? names : ["anything"];
}

beforeAll(async () => {
  site = await openWeb(hookSettings);
  site.web.addHook("onRoute", ({ method, url, schema }) => {
    for (const one of [method].flat())
      routes.push({ method: one, url, query: fieldsOf(schema?.querystring), body: fieldsOf(schema?.body) });
  });
  await site.web.ready();
  const { db } = site.app;
  const { id } = await db
    .insertInto("operators")
    .values({ name: "Ada", name_key: "ada", role: "owner", created_at: site.clock.at })
    .returning("id")
    .executeTakeFirstOrThrow();
  const cookie = `__Host-dayletter=${await openSession(db, { operatorId: id, from: "192.0.2.1", agent: "" }, site.clock.at)}`;
  const { body } = await site.inject({ url: "/operator/account", headers: { cookie } });
  session = { cookie, "x-csrf-token": /name="csrf" value="([\w-]+)"/.exec(body)![1]! };
});
afterAll(() => site.close());

let caller = 0;

/** As an owner, from a network of its own, so that no limit on tries plays a part. */
async function ask({ method, url }: Route, path: string, options: InjectOptions = {}): Promise<string> {
  caller += 1;
  const headers = url.startsWith("/api") ? { authorization: `Bearer ${token}` } : session;
  const { statusCode } = await site.inject({
    ...options,
    method: method as "GET",
    url: path,
    headers: { ...headers, ...(options.headers as object) },
    remoteAddress: `10.${caller >> 16}.${(caller >> 8) & 255}.${caller & 255}`,
  });
  return `${statusCode}`;
}

const plain = (url: string): string => url.replace(":date", "2026-11-24").replace(/:\w+|\*/g, "1");
const hasBody = ({ method }: Route): boolean => method === "POST" || method === "PUT" || method === "DELETE";
/** `surrogate` is what some programs write for half of a surrogate pair. */
const codes = { NUL: "%00", "no UTF-8": "%FF", surrogate: "%ED%A0%80" };
/** Files may hold anything, and an unsubscribe request of a mail service is answered whatever is in it (RFC 8058). */
const ownBody = /\/import$|\/suppressions$|^\/unsubscribe\//;
/** Their refusal of the caller or of the body's type comes first. */
const earlier = new Set(["401", "403", "404", "410", "413", "415", "429"]);

async function statuses(which: (route: Route) => { path: string; options?: InjectOptions; at: string }[]) {
  const odd: string[] = [];
  let asked = 0;
  for (const route of routes) {
    for (const { path, options, at } of which(route)) {
      asked += 1;
      const status = await ask(route, path, options);
      // Without a relay's outbox, or from another machine, these are not there at all.
      const away = route.url.startsWith("/outbox") && status === "404";
      if (status !== "400" && !away) odd.push(`${route.method} ${route.url} ${at}: ${status}`);
    }
  }
  expect(asked).toBeGreaterThan(100);
  return odd;
}

describe("text that cannot be stored is refused with 400", { timeout: 120_000 }, () => {
  test("in each path parameter", async () => {
    const odd = await statuses((route) =>
      [...route.url.matchAll(/:\w+|\*/g)].flatMap(({ 0: name, index }) =>
        Object.entries(codes).map(([kind, code]) => ({
          path: `${plain(route.url.slice(0, index))}a${code}${plain(route.url.slice(index + name.length))}`,
          at: `${name} ${kind}`,
        })),
      ),
    );
    expect(odd).toEqual([]);
  });

  test("in each field of a query, declared or not", async () => {
    const odd = await statuses((route) =>
      [...route.query.map((name) => [name, "%00"]), ["anything", "%FF"]].map(([name, code]) => ({
        path: `${plain(route.url)}?${name}=a${code}%zz`,
        at: `${name} ${code}`,
      })),
    );
    expect(odd).toEqual([]);
  });

  test("in each field of JSON, names and inner lists included", async () => {
    const odd = await statuses((route) =>
      !hasBody(route) || ownBody.test(route.url)
        ? []
        : route.body.flatMap((name) =>
            [{ [name]: "a\0" }, { [name]: "a\ud800" }, { [name]: [{ x: "\udc00" }] }, { [`${name}\0`]: 1 }].map(
              (payload) => ({ path: plain(route.url), options: { payload }, at: JSON.stringify(payload) }),
            ),
          ),
    );
    expect(odd.filter((one) => !earlier.has(one.slice(-3)))).toEqual([]);
    expect(odd.filter((one) => one.includes("/api/v1/articles "))).toEqual([]);
  });

  test("in each field of a form, with or without a file", async () => {
    const form = { "content-type": "application/x-www-form-urlencoded" };
    const withFile = { "content-type": "multipart/form-data; boundary=x" };
    const part = (value: Buffer): Buffer =>
      Buffer.concat([
        Buffer.from('--x\r\ncontent-disposition: form-data; name="name"\r\n\r\n'),
        value,
        Buffer.from("\r\n--x--\r\n"),
      ]);
    const bodies: [string, InjectOptions][] = [
      ...Object.entries(codes).map(([kind, code]): [string, InjectOptions] => [
        kind,
        { headers: form, payload: `name=a${code}` },
      ]),
      ["a broken name", { headers: form, payload: "na%00me=a" }],
      ["raw bytes", { headers: form, payload: Buffer.from("6e616d653dff", "hex") }],
      ["NUL in a part", { headers: withFile, payload: part(Buffer.from("a\0")) }],
      ["no UTF-8 in a part", { headers: withFile, payload: part(Buffer.from("61ff", "hex")) }],
    ];
    const odd = await statuses((route) =>
      !hasBody(route) || route.url.startsWith("/api") || ownBody.test(route.url)
        ? []
        : bodies.map(([at, options]) => ({ path: plain(route.url), options, at })),
    );
    expect(odd.filter((one) => !earlier.has(one.slice(-3)))).toEqual([]);
    expect(odd.filter((one) => one.startsWith("POST /subscribe ") && !one.includes("part"))).toEqual([]);
  });
});

test("the refusal names the field", async () => {
  const api = await site.api("POST", "/articles", {
    url: "https://news.example.com/1",
    title: "One",
    tags: ["a", "b\0"],
  });
  expect(api.json()).toMatchObject({ status: 400, detail: expect.stringContaining('"tags[1]"') });
  const query = await site.api("GET", "/editions/2026-11-24/deliveries/export?reply=a%00");
  expect(query.json()).toMatchObject({ status: 400, detail: expect.stringContaining('"reply"') });
  const page = await site.inject({ url: "/subscribe?tags=%00" });
  expect([page.statusCode, page.headers["content-type"]]).toEqual([400, "text/html; charset=utf-8"]);
  expect(page.body).toContain("&#34;tags&#34;");
  const latin = await site.inject({
    method: "POST",
    url: "/api/v1/articles",
    headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
    payload: Buffer.from('{"title":"\xfc"}', "latin1"),
  });
  expect(latin.statusCode).toBe(400);
});

test("deeply nested JSON is refused", async () => {
  const answer = await site.inject({
    method: "POST",
    url: "/api/v1/articles",
    headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
    payload: `${"[".repeat(40_000)}${"]".repeat(40_000)}`,
  });
  expect(answer.statusCode).toBe(400);
});

test("a lone percent sign, the replacement character, emoji and empty fields are accepted", async () => {
  for (const query of ["tags=50%", "tags=%EF%BF%BD", "tags=%F0%9F%98%80", "tags=", "%"])
    expect((await site.inject({ url: `/subscribe?${query}` })).statusCode, query).toBe(200);
  expect(site.errors).toEqual([]);
});
