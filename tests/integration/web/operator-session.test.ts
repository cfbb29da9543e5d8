import { existsSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import type { LightMyRequestResponse } from "fastify";
import { afterAll, beforeAll, expect, test } from "vitest";
import { codeOf, stepOf } from "../../../src/operators/totp.ts";
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
  expect(weak.statusCode).toBe(422);
  const typo = await post(link, { name: "Ada", password, repeated: `${password}!` });
  expect([typo.statusCode, typo.body]).toEqual([422, expect.stringContaining("differ")]);

  // Somebody who was only invited is no reason to shut the first operator out, but has the name.
  await site.api("POST", "/operators", { name: "Flo", role: "viewer" });
  const taken = await post(link, { name: "flo", password, repeated: password });
  expect([taken.statusCode, taken.body]).toEqual([409, expect.stringContaining("is in use")]);

  const done = await post(link, { name: " Ada ", password, repeated: password });
  expect([done.statusCode, done.headers.location]).toEqual([303, expect.stringMatching(/^\/operator/)]);
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

/** Signs Ada in from a network of its own, so that the caps on tries play no part. */
let networks = 0;
async function enter(fields: Record<string, string> = {}): Promise<LightMyRequestResponse> {
  networks += 1;
  const payload = new URLSearchParams({ name: "Ada", password, ...fields }).toString();
  const remoteAddress = `198.51.${networks}.7`;
  return site.inject({ method: "POST", url: "/operator/sign-in", headers: form, payload, remoteAddress });
}

async function submit(cookie: string, path: string, fields: Record<string, string>): Promise<LightMyRequestResponse> {
  return post(path, { ...fields, csrf: csrfOf(await get("/operator/account", cookie)) }, cookie);
}

test("a session ends after half a day without use, after two weeks in any case, and when its operator says so", async () => {
  const start = site.clock.at;
  const hours = (n: number): void => void (site.clock.at = new Date(site.clock.at.getTime() + n * 3_600_000));
  const cookie = cookieOf(await enter());
  for (let i = 0; i < 30; i++) {
    hours(11);
    expect((await get("/operator/account", cookie)).statusCode).toBe(200);
  }
  hours(11);
  expect((await get("/operator/account", cookie)).statusCode).toBe(303);
  const idle = cookieOf(await enter());
  hours(6);
  // What an open page asks for by itself is no sign of anybody.
  const byItself = { cookie: idle, accept: "text/html", "hx-request": "true" };
  expect((await site.inject({ method: "GET", url: "/operator", headers: byItself })).statusCode).toBe(200);
  hours(6);
  expect((await get("/operator/account", idle)).statusCode).toBe(303);

  const [mine, other] = [cookieOf(await enter()), cookieOf(await enter())];
  const page = await get("/operator/account", mine);
  expect(page.body.match(/last used/g)).toHaveLength(2);
  const ids = [...page.body.matchAll(/name="session" value="(\d+)"/g)].map(([, id]) => id!);
  const newest = String(Math.max(...ids.map(Number)));
  await submit(mine, "/operator/account/sessions", { session: newest });
  expect([
    (await get("/operator/account", mine)).statusCode,
    (await get("/operator/account", other)).statusCode,
  ]).toEqual([200, 303]);
  const out = await submit(mine, "/operator/sign-out", {});
  expect(out.headers["set-cookie"]).toMatch(/^__Host-dayletter=; .*Max-Age=0/);
  expect((await get("/operator/account", mine)).statusCode).toBe(303);
  site.clock.at = start;
});

test("with one-time codes, a password alone lets nobody in, and a code does so once", async () => {
  const cookie = cookieOf(await enter());
  const page = await get("/operator/account", cookie);
  const key = fromBase32(/secret=([A-Z2-7]+)/.exec(page.body)![1]!);
  const code = (): string => codeOf(key, stepOf(site.clock.at));
  expect((await submit(cookie, "/operator/account/codes", { code: "000000" })).statusCode).toBe(422);
  expect((await submit(cookie, "/operator/account/codes", { code: code() })).statusCode).toBe(303);

  const without = await enter();
  expect([without.statusCode, without.body]).toEqual([
    401,
    expect.stringContaining("Name, password or one-time code is wrong"),
  ]);
  expect((await enter({ code: code() })).statusCode).toBe(401);
  site.clock.at = new Date(site.clock.at.getTime() + 30_000);
  const twice = await Promise.all([enter({ code: code() }), enter({ code: code() })]);
  expect(twice.map(({ statusCode }) => statusCode).toSorted((a, b) => a - b)).toEqual([303, 401]);

  expect((await submit(cookie, "/operator/account/codes", { off: "1", present: "wrong" })).statusCode).toBe(422);
  expect((await submit(cookie, "/operator/account/codes", { off: "1", present: password })).statusCode).toBe(303);
  expect((await enter()).statusCode).toBe(303);
});

test("a changed password ends all sessions but the one that changed it", async () => {
  const [mine, other] = [cookieOf(await enter()), cookieOf(await enter())];
  const fresh = "lantern violin gravel moss";
  const wrong = { present: "wrong", password: fresh, repeated: fresh };
  expect((await submit(mine, "/operator/account/password", wrong)).statusCode).toBe(422);
  const changed = await submit(mine, "/operator/account/password", { ...wrong, present: password });
  for (const old of [mine, other]) expect((await get("/operator/account", old)).statusCode).toBe(303);
  const going = cookieOf(changed);
  expect((await get("/operator/account", going)).statusCode).toBe(200);
  expect((await enter()).statusCode).toBe(401);
  await submit(going, "/operator/account/password", { present: fresh, password, repeated: password });
});

test("an owner invites, changes and disables operators; the last owner stays", async () => {
  const added = await site.api("POST", "/operators", { name: "Bo", role: "viewer" });
  expect([added.statusCode, added.json().state]).toEqual([201, "invited"]);
  expect((await site.api("POST", "/operators", { name: "BO", role: "viewer" })).statusCode).toBe(409);
  expect((await site.api("POST", "/tokens", { name: "bo", role: "viewer" })).statusCode).toBe(409);
  const path = new URL(added.json().link as string).pathname;
  const again = new URL((await site.api("POST", "/operators/Bo/link")).json().link as string).pathname;
  expect((await get(path)).statusCode).toBe(404);
  const cookie = cookieOf(await post(again, { name: "Eve", password, repeated: password }));
  expect((await get("/operator/account", cookie)).body).toContain("Bo</a>, viewer");

  expect((await site.api("PUT", "/operators/Bo/role", { role: "editor" })).json().role).toBe("editor");
  expect((await get("/operator/account", cookie)).body).toContain("Bo</a>, editor");
  expect((await site.api("POST", "/operators/Bo/disable")).json().state).toBe("disabled");
  expect((await get("/operator/account", cookie)).statusCode).toBe(303);
  expect((await enter({ name: "Bo" })).statusCode).toBe(401);
  expect((await site.api("POST", "/operators/Bo/link")).statusCode).toBe(409);

  for (const answer of [
    await site.api("POST", "/operators/ada/disable"),
    await site.api("PUT", "/operators/ada/role", { role: "viewer" }),
  ])
    expect([answer.statusCode, answer.json().detail]).toEqual([409, expect.stringContaining("last owner")]);
  expect((await enter()).statusCode).toBe(303);
});

test("an owner does the same on a page, where links and tokens are shown once", async () => {
  const cookie = cookieOf(await enter());
  const add = await submit(cookie, "/operator/people", { name: "Cy", role: "editor" });
  expect([add.statusCode, add.body]).toEqual([
    200,
    expect.stringMatching(/alerts\.example\.com\/operator\/setup\/[\w-]{43}</),
  ]);
  const again = await submit(cookie, "/operator/people", { name: "cy", role: "editor" });
  expect([again.statusCode, again.body]).toEqual([409, expect.stringContaining("is in use")]);
  for (const fields of [
    { name: "Di", role: "king" },
    { name: "Di", role: "viewer", days: "-1" },
  ])
    expect((await submit(cookie, "/operator/people/tokens", fields)).statusCode).toBe(422);
  const made = await submit(cookie, "/operator/people/tokens", { name: "Feed", role: "viewer", days: "30" });
  const feed = /<code>([\w-]{43})<\/code>/.exec(made.body)![1]!;
  const bearer = { authorization: `Bearer ${feed}` };
  expect((await site.inject({ url: "/api/v1/status", headers: bearer })).statusCode).toBe(200);
  const page = await get("/operator/people", cookie);
  expect(page.body).not.toContain(feed);
  const revoke = page.body.match(/\/operator\/people\/tokens\/\d+\/revoke/g)!.at(-1)!;
  expect((await submit(cookie, revoke, {})).statusCode).toBe(303);
  expect((await site.inject({ url: "/api/v1/status", headers: bearer })).statusCode).toBe(401);
  const log = await get("/operator/log", cookie);
  expect(log.body).toMatch(/<b>Ada<\/b>: token revoke, Feed\s*<span class="note">[^<]* from 127\.0\.0\.1/);
});

test("a token has a role, is shown once, expires, tells when it was used, and ends when it is revoked", async () => {
  const made = (await site.api("POST", "/tokens", { name: "Newsroom", role: "editor", days: 2 })).json();
  const use = (): Promise<LightMyRequestResponse> =>
    site.inject({ url: "/api/v1/schedule", headers: { authorization: `Bearer ${made.token}` } });
  const line = async (): Promise<Record<string, unknown>> =>
    (await site.api("GET", "/tokens")).json().tokens.find(({ name }: { name: string }) => name === "Newsroom");
  expect(await line()).toMatchObject({ role: "editor", usedAt: null });
  expect((await use()).statusCode).toBe(200);
  expect(await line()).toMatchObject({ usedAt: site.clock.at.toISOString() });
  expect(await line()).not.toHaveProperty("token");
  const start = site.clock.at;
  site.clock.at = new Date(start.getTime() + 2 * 24 * 3_600_000);
  expect((await use()).statusCode).toBe(401);
  site.clock.at = start;
  expect((await use()).statusCode).toBe(200);
  expect((await site.api("DELETE", "/tokens/newsroom")).statusCode).toBe(200);
  expect((await use()).statusCode).toBe(401);
});

test("the audit log tells who did what, and from which address", async () => {
  const rows = await site.app.db.selectFrom("audit").select(["actor", "action", "subject", "came_from"]).execute();
  expect(rows).toContainEqual({ actor: "Ada", action: "operator set up", subject: "Ada", came_from: "127.0.0.1" });
  expect(rows).toContainEqual({
    actor: "setting",
    action: "token revoke",
    subject: "Newsroom",
    came_from: "127.0.0.1",
  });
  expect(rows.some((row) => row.action === "operator sign in" && row.came_from?.startsWith("198.51."))).toBe(true);
  expect(JSON.stringify(await site.app.db.selectFrom("audit").selectAll().execute())).not.toContain("marble");
});

test("too many tries have to wait, right ones too, and whether there is such a name or not", async () => {
  for (const name of ["ada", "nobody"]) {
    const remoteAddress = `203.0.${name.length}.9`;
    const tries = Array.from({ length: 10 }, () => site.app.signIns.admit(`203.0.${name.length}.0/24`, name));
    expect(await Promise.all(tries)).toEqual(Array<null>(10).fill(null));
    const payload = new URLSearchParams({ name, password }).toString();
    const late = await site.inject({ method: "POST", url: "/operator/sign-in", headers: form, payload, remoteAddress });
    expect([late.statusCode, late.body]).toEqual([429, expect.stringContaining("Too many tries: wait 15 minutes")]);
    expect(Number(late.headers["retry-after"])).toBeGreaterThan(800);
  }
  expect((await enter()).statusCode).toBe(303);
});

function fromBase32(text: string): Buffer {
  const bits = [...text]
    .map((c) => "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".indexOf(c).toString(2).padStart(5, "0"))
    .join("");
  return Buffer.from(bits.match(/.{8}/g)!.map((byte) => Number.parseInt(byte, 2)));
}
