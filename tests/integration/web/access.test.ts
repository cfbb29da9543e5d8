import type { HTTPMethods, LightMyRequestResponse } from "fastify";
import { afterAll, beforeAll, expect, test } from "vitest";
import { allows, roles, type Role } from "../../../src/operators/roles.ts";
import { openSession } from "../../../src/operators/sessions.ts";
import { addToken } from "../../../src/operators/tokens.ts";
import { emailServices } from "../../../src/outcomes/store.ts";
import { buildWeb } from "../../../src/web/build.ts";
import { openWeb, type OpenWeb } from "./open.ts";

interface Route {
  method: HTTPMethods;
  url: string;
  role: Role | "anyone" | undefined;
}

let site: OpenWeb;
const routes: Route[] = [];
const tokens = new Map<Role, string>();
const sessions = new Map<Role, { cookie: string; csrf: string }>();

beforeAll(async () => {
  site = await openWeb();
  site.web.addHook("onRoute", ({ method, url, config }) => {
    if (!/^\/(operator|api)(\/|$)/.test(url)) return;
    for (const one of [method].flat()) routes.push({ method: one, url, role: config?.role });
  });
  await site.web.ready();
  const { db } = site.app;
  for (const role of roles) {
    const { token } = await addToken(site.app, {
      name: `program ${role}`,
      role,
      days: null,
      actor: { id: null, name: "test" },
    });
    tokens.set(role, token);
    const { id } = await db
      .insertInto("operators")
      .values({ name: role, name_key: role, role, created_at: site.clock.at })
      .returning("id")
      .executeTakeFirstOrThrow();
    const cookie = `__Host-dayletter=${await openSession(db, { operatorId: id, from: "192.0.2.1", agent: "" }, site.clock.at)}`;
    const { body } = await site.inject({ url: "/operator/account", headers: { cookie } });
    sessions.set(role, { cookie, csrf: /name="csrf" value="([\w-]+)"/.exec(body)![1]! });
  }
});
afterAll(() => site.close());

const isApi = (url: string): boolean => url.startsWith("/api");
const reads = new Set(["GET", "HEAD"]);
let caller = 0;

/** From a network of its own, so that the limit on wrong tries plays no part. */
function ask({ method, url }: Route, headers: Record<string, string>, query = ""): Promise<LightMyRequestResponse> {
  caller += 1;
  const path = url.replace(":date", "2026-11-24").replace(/:\w+|\*/g, "1");
  const remoteAddress = `10.${caller >> 16}.${(caller >> 8) & 255}.${caller & 255}`;
  return site.inject({ method: method as "GET", url: `${path}${query}`, headers, remoteAddress });
}

/** As somebody of this role would ask, with all that it takes. */
function as(role: Role, route: Route): Promise<LightMyRequestResponse> {
  if (isApi(route.url)) return ask(route, { authorization: `Bearer ${tokens.get(role)!}` });
  const { cookie, csrf } = sessions.get(role)!;
  return ask(route, { cookie, "x-csrf-token": csrf });
}

/** What the database holds, but for what is noted of every visit. */
async function holdings(): Promise<Record<string, string>> {
  const { pool } = site.app.database;
  const { rows } = await pool.query<{ name: string }>(
    "select tablename as name from pg_tables where schemaname = 'public' and tablename !~ '^(caps|tokens|operator_sessions|bullmq.*)$'",
  );
  const sums: Record<string, string> = {};
  for (const { name } of rows) {
    const sum = await pool.query<{ sum: string }>(
      `select coalesce(md5(string_agg(t::text, ';' order by t::text)), '') as sum from "${name}" t`,
    );
    sums[name] = sum.rows[0]!.sum;
  }
  return sums;
}

test("every route of the dashboard and the API declares its role", () => {
  expect(routes.filter(({ url }) => isApi(url)).length).toBeGreaterThan(40);
  expect(routes.filter(({ url }) => !isApi(url)).length).toBeGreaterThan(8);
  const unnamed = routes.filter(({ role }) => role === undefined || ![...roles, "anyone"].includes(role));
  expect(unnamed).toEqual([]);
  const open = routes.filter(({ role }) => role === "anyone").map(({ method, url }) => `${method} ${url}`);
  expect(open.toSorted()).toEqual([
    "GET /api/v1/openapi.json",
    "GET /operator/setup/:token",
    "GET /operator/sign-in",
    "HEAD /api/v1/openapi.json",
    "HEAD /operator/setup/:token",
    "HEAD /operator/sign-in",
    // They verify a signature or a password themselves.
    ...emailServices.toSorted().map((name) => `POST /api/v1/hooks/${name}`),
    "POST /operator/setup/:token",
    "POST /operator/sign-in",
  ]);
  // Nobody but owners manages who may do what.
  for (const { url, role } of routes)
    if (/\/(operators|tokens|people)(\/|$)/.test(url)) expect(role, url).toBe("owner");
  for (const { method, url, role } of routes) {
    const ownAccount = /^\/operator\/(account|sign-out)/.test(url);
    // An address that is looked for must not stand in a URL, so some reads are a POST.
    const reading = reads.has(method) || /\/(lookup|find|deliveries(\/search)?)$/.test(url);
    if (role !== "anyone" && !reading && !ownAccount) expect(role, `${method} ${url}`).not.toBe("viewer");
  }
});

test("the server does not start with a route without a role, and a route outside the guarded scopes is refused", async () => {
  const open = buildWeb(site.app);
  open.get("/api/v1/open", async () => "open");
  open.post("/operator/open", async () => "open");
  await expect(open.ready()).rejects.toThrow(/GET \/api\/v1\/open, .*POST \/operator\/open\.$/);
  const web = buildWeb(site.app);
  web.post("/operator/unguarded", { config: { role: "viewer" } }, async () => "open");
  // As a scope can do for routes of another package.
  web.register(async (scope) => {
    scope.addHook("onRoute", (route) => void (route.config = { ...route.config, role: "owner" }));
    scope.post("/operator/named", async () => "open");
  });
  const { cookie, csrf } = sessions.get("owner")!;
  const headers = { cookie, "x-csrf-token": csrf };
  for (const url of ["/operator/unguarded", "/operator/named"])
    expect((await web.inject({ method: "POST", url, headers })).statusCode, url).toBe(401);
  await web.close();
});

test("requests without the required role are refused and change nothing", async () => {
  const before = await holdings();
  for (const route of routes) {
    if (route.role === "anyone") continue;
    const where = `${route.method} ${route.url}`;
    const stranger = await ask(route, { accept: "text/html" });
    if (isApi(route.url) || !reads.has(route.method)) expect(stranger.statusCode, where).toBe(401);
    else
      expect([stranger.statusCode, stranger.headers.location], where).toEqual([303, expect.stringMatching(/sign-in/)]);
    for (const role of roles) {
      if (allows(role, route.role ?? "owner")) continue;
      const { statusCode } = await as(role, route);
      expect([statusCode, role], where).toEqual([403, role]);
    }
  }
  expect(await holdings()).toEqual(before);
});

test("with a session, every write needs the session's CSRF token, and other sites' requests are refused", async () => {
  const before = await holdings();
  const { cookie } = sessions.get("owner")!;
  const { csrf: another } = sessions.get("editor")!;
  const { csrf } = sessions.get("owner")!;
  for (const route of routes) {
    if (isApi(route.url) || reads.has(route.method)) continue;
    const where = `${route.method} ${route.url}`;
    const missing = [
      await ask(route, { cookie }),
      await ask(route, { cookie, "x-csrf-token": another }),
      await ask(route, { cookie }, `?csrf=${csrf}`),
      await ask(route, { cookie, "x-csrf-token": csrf, "sec-fetch-site": "cross-site" }),
    ];
    expect(
      missing.map(({ statusCode }) => statusCode),
      where,
    ).toEqual([403, 403, 403, 403]);
  }
  expect(await holdings()).toEqual(before);
});

test("GET requests change nothing", async () => {
  const before = await holdings();
  // These answer for as long as somebody listens.
  const streams = new Set(["/operator/events"]);
  for (const route of routes) {
    if (reads.has(route.method) && !streams.has(route.url)) {
      const { statusCode } = await as("owner", route);
      expect(statusCode, `${route.method} ${route.url}`).toBeLessThan(500);
    }
  }
  expect(await holdings()).toEqual(before);
});
