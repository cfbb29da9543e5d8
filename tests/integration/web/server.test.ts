import { connect, createServer, type Socket, type AddressInfo } from "node:net";
import { existsSync, readFileSync } from "node:fs";
import { setTimeout as wait } from "node:timers/promises";
import { once } from "node:events";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { startWeb, type RunningWeb } from "../../../src/server.ts";
import { caps } from "../../../src/abuse/limits.ts";
import { buildWeb } from "../../../src/web/build.ts";
import { signUps } from "../../support/sign-up.ts";
import { article, openWeb, token, type OpenWeb } from "./open.ts";

let site: OpenWeb | null = null;
let running: RunningWeb | null = null;
afterEach(async () => {
  await running?.stop();
  await site?.close();
  running = site = null;
});

test("a running server's address is in the data folder, and removed when it stops", async () => {
  site = await openWeb({ PORT: "0", HOST: "0.0.0.0", PUBLIC_URL: "http://localhost:3000" });
  running = await startWeb(site.app);
  const file = join(site.app.config.dataDir, "server");
  const url = readFileSync(file, "utf8").trim();
  expect(url).toBe(running.url);
  expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
  const answer = await fetch(`${url}/api/v1/status`, { headers: { authorization: `Bearer ${token}` } });
  expect(await answer.json()).toMatchObject({
    publication: "Telecoms Daily",
    engines: { records: "embedded", queue: "embedded", mail: "outbox" },
    latest: null,
    subscribers: { active: 0 },
  });
  const front = await fetch(`${url}/`);
  expect(front.headers.has("strict-transport-security")).toBe(false);
  expect((await fetch(`${url}/outbox`)).status).toBe(200);
  await running.stop();
  running = null;
  expect(existsSync(file)).toBe(false);
  await expect(fetch(url)).rejects.toThrow();
});

test("a client that never finishes its request does not delay stopping, and a quick one gets its answer", async () => {
  site = await openWeb({ PORT: "0" });
  running = await startWeb(site.app);
  const { port } = new URL(running.url);
  const begin = async (length: number) => {
    const client = connect(Number(port), "127.0.0.1");
    client.write(
      `POST /subscribe HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-www-form-urlencoded\r\n` +
        `Content-Length: ${length}\r\nExpect: 100-continue\r\n\r\n`,
    );
    expect(String(await once(client, "data"))).toContain("100 Continue");
    client.on("error", () => undefined);
    return client;
  };
  const [quick, slow] = [await begin(3), await begin(1_000)];
  const stopping = running.stop();
  running = null;
  quick.write("a=b");
  expect(String(await once(quick, "data"))).toMatch(/^HTTP\/1\.1 4\d\d /);
  const closed = once(slow, "close");
  await stopping;
  await closed;
}, 15_000);

test("a request whose body stops arriving is ended, and a slow one is read completely", async () => {
  site = await openWeb();
  const web = buildWeb(site.app, { stalledMs: 1_000 });
  await web.listen({ host: "127.0.0.1", port: 0 });
  const { port } = web.server.address() as AddressInfo;
  const begin = (path: string, type: string, length: number): Socket => {
    const client = connect(port, "127.0.0.1");
    client.write(
      `POST ${path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${token}\r\nContent-Type: ${type}\r\n` +
        `Content-Length: ${length}\r\n\r\n`,
    );
    return client;
  };
  const stalled = [
    begin("/subscribe", "application/x-www-form-urlencoded", 1_000),
    begin("/api/v1/articles", "application/json", 1_000),
    begin("/api/v1/subscribers/import", "text/csv", 1_000),
    // Refused by its type at once, so that nobody waits for its body.
    begin("/subscribe", "text/html", 1_000),
  ];
  const answers = stalled.map(async (client) => {
    let text = "";
    client.on("data", (part) => (text += String(part)));
    client.write("address=");
    await once(client, "close");
    return text.slice(0, 12);
  });
  const pieces = ["address,status\n", ...Array.from({ length: 15 }, (_, i) => `reader${i}@example.com,active\n`)];
  const slow = begin("/api/v1/subscribers/import?dryRun=true", "text/csv", pieces.join("").length);
  let report = "";
  slow.on("data", (part) => (report += String(part)));
  for (const piece of pieces) {
    slow.write(piece);
    await wait(100);
  }
  await expect.poll(() => report).toContain('"lines":15');
  expect(await Promise.all(answers)).toEqual(["HTTP/1.1 408", "HTTP/1.1 408", "HTTP/1.1 408", "HTTP/1.1 415"]);
  slow.destroy();
  // A header or a body that trickles in has an end, too.
  expect(web.server.headersTimeout).toBeLessThanOrEqual(60_000);
  expect(web.server.requestTimeout).toBe(30 * 60_000);
  await web.close();
}, 60_000);

test("a port in use is reported in one sentence", async () => {
  const other = createServer().listen(0, "127.0.0.1");
  await once(other, "listening");
  const { port } = other.address() as AddressInfo;
  site = await openWeb({ PORT: String(port) });
  await expect(startWeb(site.app)).rejects.toMatchObject({
    name: "Refusal",
    code: "port_in_use",
    details: { host: "127.0.0.1", port },
  });
  other.close();
});

test("with a relay there is no outbox, and the front page says so", async () => {
  site = await openWeb({ SMTP_URL: "smtp://127.0.0.1:2525" });
  const headers = { host: "localhost", connection: "keep-alive" };
  expect((await site.inject({ method: "GET", url: "/outbox", headers })).statusCode).toBe(404);
  expect((await site.inject({ method: "GET", url: "/", headers })).body).toContain(
    "Email is sent through the relay 127.0.0.1:2525.",
  );
  // Articles by the API alone, and readers: no feed is connected, and that is no stranger's business either.
  await site.api("POST", "/articles", article(1, ["huawei"]));
  const reader = { address: "ada@example.com", allTags: true, confirmed: true, consent: { method: "test" } };
  await site.api("POST", "/subscribers", reader);
  const outside = await site.inject({ method: "GET", url: "/", headers: { "x-forwarded-for": "192.0.2.9" } });
  expect(outside.body).not.toMatch(/relay|active reader|2525|id="steps"/);
});

test.each([
  ["0", "127.0.0.1"],
  ["1", "192.0.2.9"],
  ["127.0.0.1,192.0.2.0/24", "203.0.113.5"],
])("with TRUST_PROXY=%s the client's address is %s, whatever header it sent", async (trust, expected) => {
  site = await openWeb({ TRUST_PROXY: trust });
  site.web.get("/seen", async (request) => request.ip);
  const headers = { "x-forwarded-for": "198.51.100.1, 203.0.113.5, 192.0.2.9" };
  expect((await site.inject({ method: "GET", url: "/seen", headers })).body).toBe(expected);
});

test.each([
  ["1", "192.0.2.9:51234", "192.0.2.9"],
  ["1", "203.0.113.5, [2001:db8::9]:443", "2001:db8::9"],
  ["1", "2001:db8::9", "2001:db8::9"],
  ["127.0.0.1,192.0.2.0/24", "203.0.113.5:1, 192.0.2.9:80", "203.0.113.5"],
  ["0", "192.0.2.9:51234", "127.0.0.1"],
])("with TRUST_PROXY=%s, X-Forwarded-For: %s is the client %s, without its port", async (trust, given, expected) => {
  site = await openWeb({ TRUST_PROXY: trust });
  site.web.get("/seen", async (request) => request.ip);
  expect((await site.inject({ method: "GET", url: "/seen", headers: { "x-forwarded-for": given } })).body).toBe(
    expected,
  );
});

test("rate limits ignore the ports that a gateway adds", async () => {
  site = await openWeb({ TRUST_PROXY: "1" });
  const form = signUps(site);
  const answers = [];
  for (let n = 0; n <= caps.plainNetwork.points; n++) {
    const headers = { "x-forwarded-for": `192.0.2.9:${50_000 + n}` };
    answers.push((await form.send({ address: `r${n}@example.com`, headers })).statusCode);
  }
  expect(answers.indexOf(429)).toBe(caps.plainNetwork.points);
});

test.each([
  ["0", "max-age=31536000"],
  ["1", "max-age=31536000; includeSubDomains"],
])("with HSTS_SUBDOMAINS=%s the header is %s", async (value, expected) => {
  site = await openWeb({ HSTS_SUBDOMAINS: value });
  const { headers } = await site.inject({ method: "GET", url: "/healthz" });
  expect(headers["strict-transport-security"]).toBe(expected);
});
