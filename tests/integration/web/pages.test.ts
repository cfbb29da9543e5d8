import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { sql } from "kysely";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { addFeeds } from "../../../src/sources/store.ts";
import { findByAddress, type Subscriber } from "../../../src/subscribers/store.ts";
import { signIn } from "../../support/sign-in.ts";
import { linkToken } from "../../../src/subscribers/tokens.ts";
import { article, openWeb, type OpenWeb } from "./open.ts";
import { textOf } from "../../support/text.ts";

let site: OpenWeb;
let paths: { preferences: string; unsubscribe: string };
const address = "ada@example.com";

beforeAll(async () => {
  site = await openWeb();
});
afterAll(() => site.close());

const reader = async (): Promise<Subscriber> => (await findByAddress(site.app.db, address))!;
/** As a browser on this machine asks. */
const local = { host: "localhost:3000", connection: "keep-alive" };
const get = (url: string) => site.inject({ method: "GET", url, headers: local });
const submit = (url: string, fields: string) =>
  site.inject({
    method: "POST",
    url,
    payload: fields,
    headers: { "content-type": "application/x-www-form-urlencoded" },
  });

test("the front page of a new server says what it is, what is missing, and the next steps", async () => {
  const page = await get("/");
  expect(page.statusCode).toBe(200);
  for (const said of [
    "Telecoms Daily",
    textOf("front.lead"),
    "Wednesday 25 November at 07:00 (UTC)",
    'href="/operator/sources#add"',
    'href="/operator/setup"',
    'href="/operator/readers#import"',
    "No edition has been sent yet.",
  ]) {
    expect(page.body).toContain(said);
  }
  expect(page.body).not.toMatch(/<code>|dayletter [a-z]/);
  expect((await get("/editions")).body).toContain(textOf("editions.empty"));
});

test("strangers never see the setup status, even while there are no articles or readers", async () => {
  const strangers = [{ remoteAddress: "192.0.2.1" }, { headers: { cookie: `__Host-dayletter=${"a".repeat(43)}` } }];
  for (const stranger of strangers) {
    const { body, statusCode } = await site.inject({ method: "GET", url: "/", ...stranger });
    expect(statusCode).toBe(200);
    expect(body).toContain(textOf("front.lead"));
    expect(body).toContain('action="/subscribe"');
    expect(body).not.toContain('id="steps"');
    expect(body).not.toMatch(/SMTP_URL|<code>|dayletter |outbox/);
  }
  const { cookie, get: asOperator } = await signIn(site);
  const own = (await asOperator("/")).body;
  expect(own).toContain('id="steps"');
  expect(own).not.toContain('href="/outbox"');
  // What an operator saw is kept for nobody else.
  expect((await site.inject({ method: "GET", url: "/", remoteAddress: "192.0.2.1" })).body).not.toContain('id="steps"');
  await site.app.db.deleteFrom("operators").execute();
  expect((await site.inject({ method: "GET", url: "/", headers: { cookie } })).body).not.toContain('id="steps"');
});

test("an edition is on the web once it is being sent, and not before", async () => {
  const hostile = {
    title: "Using <T> in C++ {{ secret }}",
    origin: { name: "JoongAng", url: "https://joongang.example/" },
  };
  await site.api("POST", "/articles", [article(1, ["lg u+", "huawei", "<script>"], hostile), article(2, ["Korea"])]);
  await site.api("POST", "/subscribers", { address, tags: ["huawei"], confirmed: true, consent: { method: "test" } });
  const { key } = await reader();
  const token = (purpose: "preferences" | "unsubscribe") => linkToken(site.app.options.secret, purpose, key);
  paths = { preferences: `/preferences/${token("preferences")}`, unsubscribe: `/unsubscribe/${token("unsubscribe")}` };
  await site.api("POST", "/editions");
  expect((await get("/editions/2026-11-24")).statusCode).toBe(404);
  expect((await get("/editions")).body).not.toContain("/editions/2026-11-24");
  await site.render(1);
  const page = await get("/editions/2026-11-24");
  for (const text of [
    "Tuesday, 24 November 2026",
    "&lt;script&gt;",
    "Using &lt;T&gt; in C++ {{ secret }}",
    "lg u+",
    "JoongAng",
    "Headline 2",
  ]) {
    expect(page.body).toContain(text);
  }
  expect(page.body).not.toMatch(/<script(?! src="\/assets\/edition\.)/);
  expect(page.body).not.toContain(textOf("edition.old"));
  expect((await get("/")).body).toContain("/editions/2026-11-24");
  expect((await get("/editions")).body).toContain("/editions/2026-11-24");
  const before = site.clock.at;
  for (const [now, old] of [
    ["2027-11-24T23:00:00Z", false],
    ["2027-11-25T01:00:00Z", true],
  ] as const) {
    site.clock.at = new Date(now);
    expect((await get("/editions/2026-11-24")).body.includes("Note: this edition is more than a year old.")).toBe(old);
  }
  site.clock.at = before;
});

test.each([
  "/editions/2026-11-25",
  "/editions/2026-02-30",
  "/editions/x",
  "/nothing",
  "/preferences/x",
  `/unsubscribe/${"a".repeat(43)}`,
])("%s is a page with an explanation", async (url) => {
  const page = await get(url);
  expect(page.statusCode).toBe(404);
  expect(page.headers["content-type"]).toContain("text/html");
  expect(page.body).toContain(`<h1>${textOf("failure.404")}</h1>`);
});

test("preferences show the reader's tags and save a new choice", async () => {
  const page = await get(paths.preferences);
  expect(page.body).toMatch(/checked> <span>huawei</);
  expect(page.body).toMatch(/value="Korea"> <span>Korea</);
  const saved = await submit(paths.preferences, "tags=Korea");
  expect(saved.statusCode).toBe(303);
  expect(saved.headers["location"]).toBe(`${paths.preferences}?saved=tags`);
  expect((await get(saved.headers["location"]!)).body).toContain("Saved.");
  expect(await reader()).toMatchObject({ tags: ["Korea"], allTags: false });
  const nothing = await submit(paths.preferences, "");
  expect(nothing.statusCode).toBe(422);
  expect(nothing.body).toContain(textOf("error.nothing_chosen"));
  expect(await reader()).toMatchObject({ tags: ["Korea"] });
  await submit(paths.preferences, "all=1");
  expect(await reader()).toMatchObject({ tags: [], allTags: true });
});

test("viewing a reader's links changes nothing, and a link works only for its own purpose", async () => {
  const before = await reader();
  for (const url of [paths.unsubscribe, paths.preferences, `${paths.preferences}?q=k&tags=Korea&saved=tags`]) {
    for (const method of ["GET", "HEAD"] as const) expect((await site.inject({ method, url })).statusCode).toBe(200);
  }
  for (const url of [
    paths.preferences.replace("preferences", "unsubscribe"),
    paths.unsubscribe.replace("unsubscribe", "preferences"),
  ]) {
    expect((await submit(url, "all=1")).statusCode).toBe(404);
  }
  expect((await get(`${paths.unsubscribe}/undo`)).statusCode).toBe(405);
  expect(await reader()).toEqual(before);
  expect((await get(paths.unsubscribe)).body).toContain(`${textOf("unsubscribe.submit")}</button>`);
});

const boundary = "b0undary";
const multipart = `--${boundary}\r\nContent-Disposition: form-data; name="List-Unsubscribe"\r\n\r\nOne-Click\r\n--${boundary}--\r\n`;

test.each([
  [
    "a mail program's form (RFC 8058)",
    { payload: "List-Unsubscribe=One-Click", headers: { "content-type": "application/x-www-form-urlencoded" } },
  ],
  [
    "a mail program's multipart form (RFC 8058)",
    { payload: multipart, headers: { "content-type": `multipart/form-data; boundary=${boundary}` } },
  ],
  ["the button of the page", { payload: "", headers: { "content-type": "application/x-www-form-urlencoded" } }],
  ["an empty request", {}],
  ["a body that is no form", { payload: "{", headers: { "content-type": "application/json" } }],
])("%s unsubscribes at once, with neither cookie nor redirect, and can be undone", async (_name, request) => {
  for (const time of [1, 2]) {
    const answer = await site.inject({ method: "POST", url: paths.unsubscribe, ...request });
    expect(answer.statusCode, `time ${time}`).toBe(200);
    expect(answer.headers).not.toHaveProperty("location");
    expect(answer.headers).not.toHaveProperty("set-cookie");
    expect(answer.body).toContain(textOf("unsubscribed.title"));
    expect((await reader()).status).toBe("unsubscribed");
  }
  expect((await get(paths.preferences)).body).toContain(
    textOf("preferences.unsubscribed", { unsubscribe: `${paths.preferences}/unsubscribe` }),
  );
  const undone = async () =>
    (
      await site.app.db
        .selectFrom("consents")
        .select("requested_from")
        .where("method", "=", "unsubscribe_undone")
        .execute()
    ).length;
  const before = await undone();
  for (const time of [1, 2]) {
    expect((await submit(`${paths.unsubscribe}/undo`, "")).body, `time ${time}`).toContain(textOf("unsubscribe.back"));
    expect((await reader()).status).toBe("active");
  }
  expect(await undone()).toBe(before + 1);
});

test("a suppressed reader cannot subscribe again with the link", async () => {
  const { db } = site.app;
  await db.updateTable("subscribers").set({ status: "suppressed" }).where("address", "=", address).execute();
  expect((await get(paths.unsubscribe)).body).not.toContain("/undo");
  expect((await submit(`${paths.unsubscribe}/undo`, "")).body).toContain(textOf("unsubscribe.cannot"));
  expect((await reader()).status).toBe("suppressed");
  await db.updateTable("subscribers").set({ status: "active" }).where("address", "=", address).execute();
});

test("the setup status is shown only to this machine once there are sources and readers", async () => {
  await addFeeds(site.app.db, [{ url: "https://news.example.com/feed" }], site.app.clock.now());
  for (const [remoteAddress, seen] of [
    ["192.0.2.1", false],
    ["127.0.0.1", true],
  ] as const) {
    const { body } = await site.inject({ method: "GET", url: "/", remoteAddress, headers: local });
    expect(body.includes("1 source connected.")).toBe(seen);
    expect(body).toContain(textOf("front.lead"));
  }
});

test("no URL of a page or link contains a reader's email address", async () => {
  for (const url of ["/", "/editions", "/editions/2026-11-24", paths.preferences, paths.unsubscribe]) {
    expect((await get(url)).body).not.toMatch(/ada(@|%40)/);
  }
});

test("every answer has a strict content security policy", async () => {
  const urls = [
    "/",
    "/nothing",
    "/api/v1/status",
    "/api/v1/openapi.json",
    "/healthz",
    paths.preferences,
    "/editions/2026-11-24",
  ];
  for (const url of urls) {
    const { headers } = await get(url);
    const policy = String(headers["content-security-policy"]);
    for (const rule of [
      "default-src 'none'",
      "style-src 'self'",
      "img-src 'self'",
      "form-action 'self'",
      "frame-ancestors 'none'",
      "base-uri 'none'",
    ]) {
      expect(policy, url).toContain(rule);
    }
    for (const words of ["unsafe", "data:", "http"]) expect(policy, url).not.toContain(words);
    expect(headers, url).toMatchObject({
      "x-content-type-options": "nosniff",
      "referrer-policy": "no-referrer",
      "strict-transport-security": expect.stringContaining("max-age=31536000"),
    });
  }
  for (const url of [paths.preferences, paths.unsubscribe, "/api/v1/status", "/preferences/x"]) {
    expect((await get(url)).headers["cache-control"], url).toBe("no-store");
  }
});

test("the style sheet's name has a hash of its content and is cached for good, and pages load nothing else", async () => {
  const { body } = await get("/");
  const loads = [...body.matchAll(/(?:src|href)="([^"]+)"/g)]
    .map((match) => match[1]!)
    .filter((url) => /\.(css|svg|js)$/.test(url));
  expect(loads).toHaveLength(3);
  for (const url of loads) {
    const answer = await get(url);
    expect(answer.headers["cache-control"]).toContain("immutable");
  }
  expect((await get("/assets/style.css")).statusCode).toBe(404);
});

test("made-up links are rate-limited, and a valid one never is", async () => {
  const from = (url: string) => site.inject({ method: "POST", url, remoteAddress: "192.0.2.7" });
  const answers = await Promise.all(
    Array.from({ length: 40 }, (_, n) => from(`/unsubscribe/${"a".repeat(41)}${n + 10}`)),
  );
  expect(answers.at(-1)!.statusCode).toBe(429);
  expect(Number(answers.at(-1)!.headers["retry-after"])).toBeGreaterThan(0);
  expect((await from(paths.unsubscribe)).statusCode).toBe(200);
  await from(`${paths.unsubscribe}/undo`);
});

test("the page of an unexpected failure does not reveal its cause", async () => {
  await site.app.db.schema.alterTable("skipped_dates").renameTo("elsewhere").execute();
  const page = await get("/");
  await site.app.db.schema.alterTable("elsewhere").renameTo("skipped_dates").execute();
  expect(page.statusCode).toBe(500);
  expect(page.body).toContain(`<h1>${textOf("failure.500")}</h1>`);
  expect(page.body).not.toContain("skipped_dates");
});

test("health pages say whether the process works, and whether it has what it needs", async () => {
  expect((await get("/healthz")).json()).toEqual({ status: "ok" });
  expect((await get("/readyz")).json()).toEqual({ status: "ready", reasons: [] });
  const { db, sender } = site.app;
  // A heart beats by the database's clock.
  const now = sql<Date>`clock_timestamp()`;
  await db.insertInto("senders").values({ id: sender, host: "h", pid: 1, started_at: now, beat_at: now }).execute();
  expect((await get("/readyz")).statusCode).toBe(200);
  await db
    .updateTable("senders")
    .set({ beat_at: sql`clock_timestamp() - interval '1 minute'` })
    .execute();
  const late = await get("/readyz");
  expect(late.statusCode).toBe(503);
  expect(late.json().reasons).toEqual([expect.stringMatching(/^sender: .*\d{4}-\d\d-\d\dT/)]);
  const outside = await site.inject({ method: "GET", url: "/readyz", remoteAddress: "192.0.2.1" });
  expect([outside.statusCode, outside.json().reasons]).toEqual([503, ["sender"]]);
  await db.deleteFrom("senders").execute();
});

const mail = [
  "Message-ID: <2026-11-24.abc@localhost>",
  "From: Telecoms Daily <alerts@localhost>",
  "To: ada@example.com",
  "Subject: =?utf-8?q?Huawei_=E2=9C=93?=",
  'Content-Type: multipart/alternative; boundary="b"',
  "",
  "--b",
  "Content-Type: text/plain; charset=utf-8",
  "",
  "In text <b>",
  "--b",
  "Content-Type: text/html; charset=utf-8",
  "",
  "<p style='color:red'>In HTML</p><script>alert(1)</script>",
  "--b--",
  "",
].join("\r\n");

const name = "2026-11-24.abc@localhost.eml";
const file = `/outbox/${encodeURIComponent(name)}`;

describe("the outbox", () => {
  let here: OpenWeb;
  beforeAll(async () => {
    here = await openWeb({ PUBLIC_URL: "http://localhost:3000" });
    for (const one of [here, site]) {
      const folder = join(one.app.config.dataDir, "outbox");
      await mkdir(folder, { recursive: true });
      await writeFile(join(folder, name), mail);
    }
  });
  afterAll(() => here.close());

  test("lists its emails and shows each as HTML, text and source", async () => {
    const show = (url: string) => here.inject({ method: "GET", url, headers: local });
    const list = await show("/outbox");
    expect(list.body).toContain("Huawei ✓");
    expect(list.body).toContain(file);
    const page = await show(file);
    expect(page.body).toContain("In text &lt;b&gt;");
    expect(page.body).toContain("Message-ID: &lt;2026-11-24.abc@localhost&gt;");
    expect(page.body).toMatch(/<iframe[^>]+sandbox/);
    const html = await show(`${file}/html`);
    expect(html.body).toContain("In HTML");
    expect(html.headers["content-security-policy"]).toMatch(/default-src 'none';.*sandbox/);
    expect(html.headers["content-security-policy"]).not.toMatch(/script-src|allow-scripts/);
    for (const url of ["/outbox/..%2Ftoken", "/outbox/..%2Fsecret.eml", "/outbox/x.eml", "/outbox/token"])
      expect((await show(url)).statusCode, url).toBe(404);
  });

  test.each([
    ["another machine", { remoteAddress: "192.0.2.1", headers: local }],
    ["a name that was pointed here (DNS rebinding)", { headers: { host: "evil.example:3000" } }],
    ["a proxy on this machine", { headers: { ...local, "x-forwarded-for": "192.0.2.1" } }],
    ["a proxy that says so in the standard way", { headers: { ...local, forwarded: "for=192.0.2.1" } }],
    ["nginx from 1.29.7 on as it comes, which says nothing of itself", { headers: { host: "127.0.0.1:3000" } }],
  ])("is not there for %s", async (_name, request) => {
    for (const url of ["/outbox", file, `${file}/html`]) {
      const answer = await here.inject({ method: "GET", url, ...request });
      expect(answer.statusCode).toBe(404);
      expect(answer.body).not.toContain("In text");
    }
  });

  test("is not served by a server with a public address", async () => {
    for (const url of ["/outbox", file, `${file}/html`])
      expect((await site.inject({ method: "GET", url, headers: local })).statusCode, url).toBe(404);
  });
});
