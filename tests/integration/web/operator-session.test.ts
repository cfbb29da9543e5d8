import { existsSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import type { LightMyRequestResponse } from "fastify";
import { afterAll, beforeAll, expect, test } from "vitest";
import { generateSync } from "otplib";
import { networkOf, siteOf } from "../../../src/abuse/network.ts";
import { signInCaps } from "../../../src/abuse/limits.ts";
import type { ErrorCode, MessageValues } from "../../../src/texts/catalogue.ts";
import { signIn } from "../../support/sign-in.ts";
import { textOf } from "../../support/text.ts";
import { openWeb, type OpenWeb } from "./open.ts";

const password = "kettle marble orbit tulip";
/** Milliseconds for tests that hash many passwords, on a busy machine. */
const slow = 90_000;
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
  return [headers["set-cookie"] ?? ""].flat()[0]!.split(";")[0]!;
}

function csrfOf({ body }: LightMyRequestResponse): string {
  return /name="csrf" value="([\w-]+)"/.exec(body)?.[1] ?? "";
}

test("the first start writes a private setup link, which works once and is not used up by viewing it", async () => {
  expect(statSync(setupPath()).mode & 0o777).toBe(0o600);
  for (let i = 0; i < 2; i++) expect((await get(link)).body).toContain('id="repeated"');
  const weak = await post(link, { name: "Ada", password: "password1234", repeated: "password1234" });
  expect(weak.statusCode).toBe(422);
  const typo = await post(link, { name: "Ada", password, repeated: `${password}!` });
  expect([typo.statusCode, told(typo)]).toEqual([422, shown("passwords_differ")]);

  // Somebody who was only invited is no reason to shut the first operator out, but has the name.
  await site.api("POST", "/operators", { name: "Flo", role: "viewer" });
  const taken = await post(link, { name: "flo", password, repeated: password });
  expect([taken.statusCode, told(taken)]).toEqual([409, shown("name_taken", { name: "flo" })]);

  site.clock.at = new Date(site.clock.at.getTime() + 24 * 3_600_000);
  expect((await get(link)).statusCode).toBe(404);
  const renewed = await site.api("POST", "/operators/link");
  expect(readFileSync(setupPath(), "utf8").trim()).toBe(renewed.json().link);
  const former = link;
  link = new URL(renewed.json().link as string).pathname;
  expect((await get(former)).statusCode).toBe(404);

  const done = await post(link, { name: " Ada ", password, repeated: password });
  expect([done.statusCode, done.headers.location]).toEqual([303, expect.stringMatching(/^\/operator/)]);
  expect([done.headers["set-cookie"]].flat()).toEqual([
    expect.stringMatching(/^__Host-dayletter=[\w-]{43}; Path=\/; HttpOnly; SameSite=Lax; Secure/),
    expect.stringMatching(
      /^__Host-dayletter-device=[\w.-]+; Path=\/; HttpOnly; SameSite=Lax; Secure; Max-Age=31536000/,
    ),
  ]);
  expect(existsSync(setupPath())).toBe(false);
  expect((await post(link, { name: "Eve", password, repeated: password })).statusCode).toBe(404);
  expect((await get(link)).statusCode).toBe(404);
  expect((await site.api("POST", "/operators/link")).statusCode).toBe(409);
});

test("sign-in answers the same whatever is wrong, and a successful one starts a new session", async () => {
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

test("a session ends after 12 hours without use, after two weeks in any case, and when its operator ends it", async () => {
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

const codesPath = "/operator/account/codes";
const later = (seconds: number): void => void (site.clock.at = new Date(site.clock.at.getTime() + seconds * 1_000));
const told = (answer: LightMyRequestResponse): string => /role="alert">([^<]*)/.exec(answer.body)?.[1] ?? "";
/** A refusal as a page shows it. */
const shown = (code: ErrorCode, values?: MessageValues): string =>
  textOf(`error.${code}`, values).replaceAll(`"`, "&#34;");
const recoveryCodesOf = ({ body }: LightMyRequestResponse): string[] => body.match(/\d{4} \d{4} \d{4}/g) ?? [];

/** Turns one-time codes on. @returns the present code, and the recovery codes */
async function turnOn(cookie: string): Promise<{ code: () => string; recovery: string[] }> {
  const page = await get(codesPath, cookie);
  const secret = /secret=([A-Z2-7]+)/.exec(page.body)![1]!;
  const code = (): string => generateSync({ secret, epoch: Math.floor(site.clock.at.getTime() / 1_000) });
  const on = { act: "on", present: password, code: code() };
  for (const wrong of [{ code: "000000" }, { present: "wrong" }])
    expect((await submit(cookie, codesPath, { ...on, ...wrong })).statusCode).toBe(422);
  const done = await submit(cookie, codesPath, on);
  expect(done.statusCode).toBe(200);
  return { code, recovery: recoveryCodesOf(done) };
}

test(
  "with one-time codes, a password alone is not enough, and a code works once",
  async () => {
    const cookie = cookieOf(await enter());
    const { code } = await turnOn(cookie);
    const without = await enter();
    const strange = await enter({ password: "wrong", code: code() });
    expect([without.statusCode, strange.statusCode, told(strange)]).toEqual([401, 401, told(without)]);
    // Who knows the password is told why the code does not do.
    const used = await enter({ code: code() });
    expect(used.statusCode).toBe(401);
    expect(told(used)).toBe(shown("sign_in_code_used"));
    later(30);
    const twice = await Promise.all([enter({ code: code() }), enter({ code: code() })]);
    expect(twice.map(({ statusCode }) => statusCode).toSorted((a, b) => a - b)).toEqual([303, 401]);

    later(30);
    for (const wrong of [
      { present: "wrong", code: code() },
      { present: password, code: "" },
      { present: password, code: "000000" },
    ])
      expect((await submit(cookie, codesPath, { act: "off", ...wrong })).statusCode).toBe(422);
    const off = await submit(cookie, codesPath, { act: "off", present: password, code: code() });
    expect(off.statusCode).toBe(303);
    expect((await get("/operator", cookie)).statusCode).toBe(303);
    expect((await enter()).statusCode).toBe(303);
    // A lost phone has the key that was turned off.
    const offered = (await get(codesPath, cookieOf(off))).body;
    expect(offered).toContain("secret=");
    expect(offered).not.toContain(code());
  },
  slow,
);

test(
  "a recovery code works once, its use is shown until it was seen, and one-time codes can be turned off",
  async () => {
    const cookie = cookieOf(await enter());
    const { recovery } = await turnOn(cookie);
    expect(new Set(recovery).size).toBe(10);
    expect((await get(codesPath, cookie)).body).not.toContain(recovery[0]);
    const kept = await site.app.db.selectFrom("operator_recovery_codes").selectAll().execute();
    expect(JSON.stringify(kept)).not.toContain(recovery[0]!.replaceAll(" ", ""));

    expect((await enter({ password: "wrong", code: recovery[0]! })).statusCode).toBe(401);
    const twice = await Promise.all([
      enter({ code: recovery[0]! }),
      enter({ code: recovery[0]!.replaceAll(" ", "-") }),
    ]);
    expect(twice.map(({ statusCode }) => statusCode).toSorted((a, b) => a - b)).toEqual([303, 401]);
    expect((await get("/operator", cookie)).body).toContain('<a href="/operator/account/codes">');
    const notice = await get(codesPath, cookie);
    expect(notice.body).toContain("from 198.51.");
    expect(notice.body).toContain("Recovery codes left: 9");
    await submit(cookie, `${codesPath}/seen`, {});
    expect((await get("/operator", cookie)).body).not.toContain('<a href="/operator/account/codes">');
    const [line] = await site.app.db
      .selectFrom("audit")
      .select(["action", "detail"])
      .where("action", "=", "operator sign in")
      .orderBy("id", "desc")
      .execute();
    expect(line!.detail).toEqual({ with: "recovery code", left: 9 });

    expect((await submit(cookie, codesPath, { act: "renew", present: "wrong" })).statusCode).toBe(422);
    const renewed = recoveryCodesOf(await submit(cookie, codesPath, { act: "renew", present: password }));
    expect(renewed).toHaveLength(10);
    expect((await enter({ code: recovery[1]! })).statusCode).toBe(401);
    expect((await submit(cookie, codesPath, { act: "off", present: password, code: renewed[0]! })).statusCode).toBe(
      303,
    );
    expect((await enter()).statusCode).toBe(303);
    expect(await site.app.db.selectFrom("operator_recovery_codes").selectAll().execute()).toEqual([]);
  },
  slow,
);

test("a changed password ends all other sessions", async () => {
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

test("an owner invites, changes and disables operators, but not the last owner", async () => {
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

  expect((await site.api("POST", "/operators/Bo/enable")).json().state).toBe("active");
  for (const answer of [
    await site.api("POST", "/operators/ada/disable"),
    await site.api("PUT", "/operators/ada/role", { role: "viewer" }),
  ])
    expect([answer.statusCode, answer.json().detail]).toEqual([409, textOf("error.last_owner", { name: "Ada" })]);
  expect((await enter()).statusCode).toBe(303);
});

test("an owner manages operators on a page, which shows links and tokens once", async () => {
  const cookie = cookieOf(await enter());
  const add = await submit(cookie, "/operator/people", { name: "Cy", role: "editor" });
  expect([add.statusCode, add.body]).toEqual([
    200,
    expect.stringMatching(/alerts\.example\.com\/operator\/setup\/[\w-]{43}</),
  ]);
  const again = await submit(cookie, "/operator/people", { name: "cy", role: "editor" });
  expect([again.statusCode, told(again)]).toEqual([409, shown("name_taken", { name: "cy" })]);
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

test("disabling an operator permanently revokes the tokens they created", async () => {
  const ada = cookieOf(await enter());
  const { link: path } = (await site.api("POST", "/operators", { name: "Gil", role: "owner" })).json();
  const cookie = cookieOf(await post(new URL(path as string).pathname, { name: "", password, repeated: password }));
  const csrf = csrfOf(await get("/operator/account", cookie));
  const made = await post("/operator/people/tokens", { csrf, name: "Gil one", role: "owner" }, cookie);
  const one = /<code>([\w-]{43})<\/code>/.exec(made.body)![1]!;
  const asking = (token: string) => ({ url: "/api/v1/status", headers: { authorization: `Bearer ${token}` } });
  // A token made with a token goes back to the same operator.
  const second = await site.inject({
    ...asking(one),
    method: "POST",
    url: "/api/v1/tokens",
    payload: { name: "Gil two", role: "viewer" },
  });
  const two = second.json().token as string;
  const statuses = async () =>
    (await Promise.all([one, two].map((token) => site.inject(asking(token))))).map((r) => r.statusCode);
  expect(await statuses()).toEqual([200, 200]);

  const gil = (await site.api("GET", "/operators"))
    .json()
    .operators.find(({ name }: { name: string }) => name === "Gil");
  expect(gil.tokens).toEqual(["Gil one", "Gil two"]);
  expect((await get("/operator/people", ada)).body).toContain("Gil: Gil one, Gil two");
  const disabled = await submit(ada, `/operator/people/${gil.id}/disable`, {});
  expect(disabled.body).toContain("Gil one, Gil two");
  expect(await statuses()).toEqual([401, 401]);
  await site.api("POST", "/operators/Gil/enable");
  expect(await statuses()).toEqual([401, 401]);
  const log = await site.app.db
    .selectFrom("audit")
    .select(["actor", "subject", "detail"])
    .where("action", "=", "token revoke")
    .where("subject", "like", "Gil%")
    .orderBy("id")
    .execute();
  expect(log).toEqual(
    ["Gil one", "Gil two"].map((subject) => ({
      actor: "Ada",
      subject,
      detail: { because: "operator_disabled", operator: "Gil" },
    })),
  );
});

test(
  "an owner resets another operator's one-time codes, but their own only on the account page",
  async () => {
    const ada = cookieOf(await enter());
    const { link: invited, id } = (await site.api("POST", "/operators", { name: "Hal", role: "viewer" })).json();
    const hal = cookieOf(await post(new URL(invited as string).pathname, { name: "", password, repeated: password }));
    await turnOn(hal);
    expect((await enter({ name: "Hal" })).statusCode).toBe(401);
    expect((await submit(ada, `/operator/people/${id}/codes`, {})).statusCode).toBe(200);
    expect((await get("/operator", hal)).statusCode).toBe(303);
    expect((await enter({ name: "Hal" })).statusCode).toBe(303);
    const own = (await site.api("GET", "/operators"))
      .json()
      .operators.find(({ name }: { name: string }) => name === "Ada");
    for (const act of [`${own.id}/codes`, `${own.id}/link`, "ada/codes", "ADA/link"])
      expect((await submit(ada, `/operator/people/${act}`, {})).statusCode, act).toBe(409);
    expect((await site.api("DELETE", "/operators/hal/codes")).json().oneTimeCodes).toBe(false);
  },
  slow,
);

test(
  "where one-time codes are required, an operator must turn them on first, and tokens still work",
  async () => {
    const strict = await openWeb({ REQUIRE_ONE_TIME_CODES: "1" });
    try {
      const dashboard = await signIn(strict);
      const away = await dashboard.get("/operator");
      expect([away.statusCode, away.headers.location]).toEqual([303, codesPath]);
      expect((await dashboard.get("/operator/people")).headers.location).toBe(codesPath);
      const page = await dashboard.get(codesPath);
      const fields = { csrf: csrfOf(page), name: "Eve", role: "owner" };
      expect((await dashboard.post("/operator/people", fields)).statusCode).toBe(403);
      expect((await strict.api("GET", "/operators")).statusCode).toBe(200);
      const secret = /secret=([A-Z2-7]+)/.exec(page.body)![1]!;
      const code = generateSync({ secret, epoch: Math.floor(strict.clock.at.getTime() / 1_000) });
      const on = await dashboard.post(codesPath, { csrf: csrfOf(page), act: "on", present: password, code });
      expect(on.statusCode).toBe(200);
      expect((await dashboard.get("/operator")).statusCode).toBe(200);
    } finally {
      await strict.close();
    }
  },
  slow,
);

test("a token has a role, is shown once, records its last use, and ends when it expires or is revoked", async () => {
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

test("the audit log has who did what, and from which network address", async () => {
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

/** A try from an address, by a browser with these cookies. */
function tryFrom(remoteAddress: string, fields: Record<string, string>, cookie = ""): Promise<LightMyRequestResponse> {
  const payload = new URLSearchParams(fields).toString();
  return site.inject({
    method: "POST",
    url: "/operator/sign-in",
    headers: { ...form, cookie },
    payload,
    remoteAddress,
  });
}

const originOf = (address: string) => ({ network: networkOf(address), site: siteOf(address), device: null });

test("too many attempts are refused, correct ones too, and for unknown names as well", async () => {
  for (const name of ["ada", "nobody"]) {
    const address = `203.0.${name.length}.9`;
    const tries = await Promise.all(Array.from({ length: 10 }, () => site.app.signIns.admit(originOf(address), name)));
    expect(tries).toEqual(Array<null>(10).fill(null));
    const late = await tryFrom(address, { name, password });
    expect([late.statusCode, told(late)]).toEqual([429, shown("too_many_sign_ins", { n: 15 })]);
    expect(Number(late.headers["retry-after"])).toBeGreaterThan(800);
  }
  expect((await enter()).statusCode).toBe(303);
});

test("guesses from many networks do not lock an operator out of a known browser or a new network", async () => {
  const device = [(await enter()).headers["set-cookie"] ?? ""].flat()[1]!.split(";")[0]!;
  expect(device).toMatch(/^__Host-dayletter-device=/);
  const addresses = Array.from({ length: signInCaps.crowded.points }, (_, n) => `100.64.${n}.1`);
  // As 200 wrong passwords would do, which take minutes to check.
  await Promise.all(addresses.map((address) => site.app.signIns.failed(originOf(address), "ada")));
  expect((await tryFrom(addresses[0]!, { name: "Ada", password: "wrong" })).statusCode).toBe(401);

  const unknown = await tryFrom(addresses[0]!, { name: "Ada", password });
  expect(unknown.statusCode).toBe(429);
  expect(Number(unknown.headers["retry-after"])).toBeLessThanOrEqual(signInCaps.pairCrowded.seconds);
  expect((await tryFrom(addresses[0]!, { name: "Ada", password }, device)).statusCode).toBe(303);
  expect((await tryFrom("203.0.113.9", { name: "Ada", password })).statusCode).toBe(303);
  // A browser is known to its own account alone.
  for (let n = 0; n < 10; n++) await site.app.signIns.admit(originOf(addresses[1]!), "nobody");
  expect((await tryFrom(addresses[1]!, { name: "Nobody", password }, device)).statusCode).toBe(429);
});
