import { afterAll, beforeAll, beforeEach, expect, test, vi } from "vitest";
import { openCounters } from "../../../src/abuse/caps.ts";
import { caps } from "../../../src/abuse/limits.ts";
import { retain } from "../../../src/alerts/retention.ts";
import { addSubscriber } from "../../../src/subscribers/add.ts";
import { findByAddress } from "../../../src/subscribers/store.ts";
import { suppress } from "../../../src/subscribers/suppressions.ts";
import { linkToken } from "../../../src/subscribers/tokens.ts";
import { signUps, solve, type SignUps } from "../../support/sign-up.ts";
import { openWeb, type OpenWeb } from "./open.ts";
import { textOf } from "../../support/text.ts";

let site: OpenWeb;
let form: SignUps;
beforeAll(async () => {
  site = await openWeb();
  form = signUps(site);
});
beforeEach(async () => {
  await form.forget();
  await site.app.db.deleteFrom("signups").execute();
});
afterAll(() => site.close());

const from = "192.0.2.1";
const add = (address: string, confirmed: boolean) =>
  addSubscriber(site.app, { address, tags: [], allTags: true, confirmed, actor: "test" });

test("a sign-up with a filled hidden field is answered like a success, and nothing is stored", async () => {
  const honest = await form.send({ address: "ada@example.com" });
  expect(await form.waiting()).toEqual(["ada@example.com"]);
  const script = await form.send({ address: "bob@example.com", fields: { website: "https://spam.example" } });
  expect([script.statusCode, script.body]).toEqual([honest.statusCode, honest.body]);
  expect(await form.waiting()).toEqual(["ada@example.com"]);
});

test("a form that is posted too fast is shown again with what was entered", async () => {
  const { t } = (await site.inject({ method: "GET", url: "/embed/form" })).json<{ t: string }>();
  const fast = await form.send({ address: "bob@example.com", fields: { t } });
  expect(fast.statusCode).toBe(422);
  expect(fast.body).toContain(textOf("error.form_too_fast"));
  expect(fast.body).toContain(`name="t" value="${t}"`);
  expect(await form.waiting()).toEqual([]);
});

test("an expired form or one from another server is shown again with what was entered", async () => {
  for (const t of ["", "forged", "m0000000.aaaaaaaaaaaaaaaaaaaaaa"]) {
    const page = await form.send({ address: "ada@example.com", fields: { t } });
    expect(page.statusCode).toBe(422);
    expect(page.body).toContain(textOf("error.form_stale"));
    expect(page.body).toContain("ada@example.com");
    const fresh = / name="t" value="([^"]+)"/.exec(page.body)![1]!;
    expect((await form.send({ address: "ada@example.com", fields: { t: fresh } })).statusCode).toBe(200);
  }
});

test.each([
  ["the form", false],
  ["JSON", true],
])(
  "%s: above the network's limit a sign-up is refused, and a solved challenge is accepted once",
  async (_name, json) => {
    const address = (n: number) => `reader${n}@example.com`;
    for (let n = 0; n < caps.plainNetwork.points; n++) {
      expect((await form.send({ address: address(n), from, json })).statusCode).toBe(200);
    }
    const refused = await form.send({ address: address(50), from, json });
    expect(refused.statusCode).toBe(429);
    expect(Number(refused.headers["retry-after"])).toBeGreaterThan(3_000);
    expect(refused.body).toContain(textOf("error.network_busy", { n: 60 }));
    if (json) expect(refused.json().details).toMatchObject({ challenge: true });
    else expect(refused.body).toContain('data-challenge="/challenge"');
    expect((await form.send({ address: address(51), from: "192.0.3.1", json })).statusCode).toBe(200);

    const challenge = await site.inject({ method: "GET", url: "/challenge" });
    expect(challenge.headers["cache-control"]).toBe("no-store");
    const altcha = await solve(challenge.json());
    expect((await form.send({ address: address(52), from, json, fields: { altcha } })).statusCode).toBe(200);
    const again = await form.send({ address: address(53), from, json, fields: { altcha } });
    expect(again.statusCode).toBe(403);
    expect(again.body).toContain(textOf("error.proof_invalid"));
    expect((await form.send({ address: address(54), from, json, fields: { altcha: "made up" } })).statusCode).toBe(403);
    expect(await form.waiting()).toHaveLength(caps.plainNetwork.points + 2);
  },
);

test("the form asks for a challenge when half of the network's limit is used, and not before", async () => {
  const page = () => site.inject({ method: "GET", url: "/subscribe", remoteAddress: "192.0.2.200" });
  for (let n = 0; n < caps.plainNetwork.points / 2; n++) {
    expect((await page()).body).not.toMatch(/data-challenge|proof\.\w+\.js/);
    await form.send({ address: `reader${n}@example.com`, from });
  }
  const { body, headers } = await page();
  const script = /src="(\/assets\/proof\.\w+\.js)"/.exec(body)![1]!;
  expect((await site.inject({ method: "GET", url: script })).headers["content-type"]).toContain("text/javascript");
  expect(headers["content-security-policy"]).toContain("script-src 'self';");
  expect(headers["content-security-policy"]).toContain("connect-src 'self'");
});

test("X-Forwarded-For counts only where a proxy is trusted", async () => {
  const trusting = await openWeb({ TRUST_PROXY: "1" });
  try {
    for (const [where, allowed] of [
      [form, caps.plainNetwork.points],
      [signUps(trusting), 20],
    ] as const) {
      const answers: number[] = [];
      for (let n = 0; n < 20; n++) {
        const headers = { "x-forwarded-for": `198.51.${n}.7` };
        answers.push((await where.send({ address: `reader${n}@example.com`, from, headers })).statusCode);
      }
      expect(answers.filter((status) => status === 200)).toHaveLength(allowed);
    }
  } finally {
    await trusting.close();
  }
});

test("the answer and its timing are the same for all four kinds of address", { timeout: 120_000 }, async () => {
  const { db, options, clock } = site.app;
  await add("pending@example.com", false);
  await add("active@example.com", true);
  await add("suppressed@example.com", true);
  const entry = { addressKey: "suppressed@example.com", reason: "complaint", detail: null, now: clock.now() };
  await suppress(db, options.secret, entry);
  const kinds = ["new", "pending", "active", "suppressed"];
  const times = new Map(kinds.map((kind) => [kind, [] as number[]]));
  const answers = new Set<string>();
  for (let n = 0; n < 200; n++) {
    if (n % 40 === 0) await form.forget();
    // Each kind is now the first, now the last of a round.
    for (let k = 0; k < 4; k++) {
      const kind = kinds[(n + k) % 4]!;
      const start = performance.now();
      const answer = await form.send({ address: `${kind}${kind === "new" ? n : ""}@example.com` });
      times.get(kind)!.push(performance.now() - start);
      answers.add(`${answer.statusCode} ${answer.body}`);
    }
  }
  expect(answers.size).toBe(1);
  expect([...answers][0]).toMatch(/^200 /);
  const quarter = (kind: string, share: number) => times.get(kind)!.toSorted((a, b) => a - b)[200 * share]!;
  for (const one of kinds) {
    for (const other of kinds) expect(quarter(one, 0.25), `${one}, ${other}`).toBeLessThan(quarter(other, 0.75));
  }
  expect(await form.waiting()).toHaveLength(800);
});

test("an address gets a confirmation email once an hour and three times a day, and expired requests are deleted", async () => {
  const { app } = site;
  const start = Date.now();
  vi.useFakeTimers({ toFake: ["Date"] });
  try {
    for (const [minutes, may] of [
      [0, true],
      [59, false],
      [61, true],
      [121, true],
      [182, false],
      [1_441, true],
    ] as const) {
      vi.setSystemTime(start + minutes * 60_000);
      expect(await app.mayMail("eve@example.com"), `after ${minutes} minutes`).toBe(may);
    }
    await retain({ ...app, clock: { now: () => new Date(start + 3 * 86_400_000) } });
    expect(await app.db.selectFrom("caps").select("key").execute()).toEqual([]);
  } finally {
    vi.useRealTimers();
  }
});

test("the database counts while Redis is unavailable", async () => {
  const counters = openCounters({ pool: site.app.database.pool, redisUrl: "redis://127.0.0.1:1" });
  const counter = counters.counter("away", { points: 1, seconds: 60 });
  expect([await counter.add("a"), await counter.add("a"), await counter.look("a"), await counter.look("b")]).toEqual([
    { used: 1, seconds: 60 },
    { used: 2, seconds: expect.any(Number) },
    { used: 2, seconds: expect.any(Number) },
    { used: 0, seconds: 1 },
  ]);
  counters.close();
});

test("other sites can post only the sign-up form, and mail programs only the one-click unsubscribe", async () => {
  await add("carla@example.com", true);
  const reader = (await findByAddress(site.app.db, "carla@example.com"))!;
  const token = (purpose: "preferences" | "unsubscribe") => linkToken(site.app.options.secret, purpose, reader.key);
  const post = (url: string, headers: Record<string, string>) =>
    site.inject({
      method: "POST",
      url,
      payload: "all=1",
      headers: { host: "alerts.example.com", "content-type": "application/x-www-form-urlencoded", ...headers },
    });
  const closed = [
    `/preferences/${token("preferences")}`,
    `/preferences/${token("preferences")}/erase`,
    `/preferences/${token("preferences")}/address`,
    `/unsubscribe/${token("unsubscribe")}/undo`,
    `/confirm/${"a".repeat(43)}`,
  ];
  const foreign = [
    { "sec-fetch-site": "cross-site" },
    { "sec-fetch-site": "same-site" },
    { origin: "https://elsewhere.example" },
  ];
  for (const url of closed) {
    for (const headers of foreign) expect((await post(url, headers)).statusCode, url).toBe(403);
    for (const headers of [
      { "sec-fetch-site": "same-origin" },
      { origin: "https://alerts.example.com" },
      { origin: "null" },
    ])
      if (!url.endsWith("/erase")) expect((await post(url, headers)).statusCode, url).not.toBe(403);
  }
  expect((await findByAddress(site.app.db, "carla@example.com"))!.status).toBe("active");
  expect((await form.send({ address: "dan@example.com", headers: foreign[0]! })).statusCode).toBe(200);
  expect((await post(`/unsubscribe/${token("unsubscribe")}`, foreign[0]!)).statusCode).toBe(200);
  expect((await findByAddress(site.app.db, "carla@example.com"))!.status).toBe("unsubscribed");
});
