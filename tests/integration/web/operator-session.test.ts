import { existsSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import type { LightMyRequestResponse } from "fastify";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openWeb, type OpenWeb } from "./open.ts";

const password = "kettle marble orbit tulip";
let site: OpenWeb;
let link: string;

beforeAll(async () => {
  site = await openWeb();
  link = new URL(readFileSync(setupPath(), "utf8").trim()).pathname;
});
afterAll(() => site.close());

function setupPath(): string {
  return join(site.app.config.dataDir, "setup");
}

const form = { "content-type": "application/x-www-form-urlencoded" };

function post(url: string, fields: Record<string, string>, cookie = ""): Promise<LightMyRequestResponse> {
  const payload = new URLSearchParams(fields).toString();
  return site.inject({ method: "POST", url, headers: { ...form, cookie }, payload });
}

function get(url: string, cookie = ""): Promise<LightMyRequestResponse> {
  return site.inject({ method: "GET", url, headers: { cookie, accept: "text/html" } });
}

/** The cookie that an answer sets, as a browser would send it back. */
function cookieOf({ headers }: LightMyRequestResponse): string {
  return String(headers["set-cookie"] ?? "").split(";")[0]!;
}

function csrfOf({ body }: LightMyRequestResponse): string {
  return /name="csrf" value="([\w-]+)"/.exec(body)?.[1] ?? "";
}

test("the first start writes a link for the owner's eyes only; looking at it uses nothing up; it works once", async () => {
  expect(statSync(setupPath()).mode & 0o777).toBe(0o600);
  for (let i = 0; i < 2; i++) expect((await get(link)).body).toContain("The first operator");
  const weak = await post(link, { name: "Ada", password: "password1234", repeated: "password1234" });
  expect([weak.statusCode, weak.body]).toEqual([422, expect.stringContaining("first that anybody would try")]);
  const typo = await post(link, { name: "Ada", password, repeated: `${password}!` });
  expect([typo.statusCode, typo.body]).toEqual([422, expect.stringContaining("differ")]);

  const done = await post(link, { name: " Ada ", password, repeated: password });
  expect([done.statusCode, done.headers.location]).toEqual([303, "/operator"]);
  expect(done.headers["set-cookie"]).toMatch(/^__Host-dayletter=[\w-]{43}; Path=\/; HttpOnly; SameSite=Lax; Secure/);
  expect(existsSync(setupPath())).toBe(false);
  expect((await post(link, { name: "Eve", password, repeated: password })).statusCode).toBe(404);
  expect((await get(link)).statusCode).toBe(404);
});

test("whatever is wrong, sign-in answers the same; what is right begins a new session", async () => {
  const wrong = await Promise.all([
    post("/operator/sign-in", { name: "Ada", password: "wrong" }),
    post("/operator/sign-in", { name: "Nobody", password }),
  ]);
  const told = wrong.map(({ statusCode, body }) => [statusCode, body.replace(/value="(Ada|Nobody)"/, "")]);
  expect(told[0]).toEqual(told[1]);
  expect(told[0]![0]).toBe(401);

  const first = await post("/operator/sign-in", { name: "ADA", password, next: "//evil.example/" });
  expect([first.statusCode, first.headers.location]).toEqual([303, "/operator"]);
  const second = await post(
    "/operator/sign-in",
    {
      name: "Ada",
      password,
      next: "/operator/account?x=1",
      csrf: csrfOf(await get("/operator/account", cookieOf(first))),
    },
    cookieOf(first),
  );
  expect(second.headers.location).toBe("/operator/account?x=1");
  expect(cookieOf(second)).not.toBe(cookieOf(first));
  expect((await get("/operator/account", cookieOf(first))).statusCode).toBe(303);
  expect((await get("/operator/account", cookieOf(second))).statusCode).toBe(200);
});
