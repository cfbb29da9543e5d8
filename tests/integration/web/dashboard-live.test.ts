import { once } from "node:events";
import { get as httpGet, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { sql } from "kysely";
import { afterEach, expect, test, vi } from "vitest";
import { silentLog } from "../../../src/base/log.ts";
import { openLive } from "../../../src/web/operator/live.ts";
import { followEditions } from "../../../src/web/operator/progress.ts";
import { startProgram } from "../../support/program.ts";
import { signIn } from "../../support/sign-in.ts";
import { textOf } from "../../support/text.ts";
import { article, openWeb, token, type OpenWeb } from "./open.ts";

let site: OpenWeb | null = null;
afterEach(async () => {
  vi.useRealTimers();
  await site?.close();
  site = null;
});

async function openSending(readers: number): Promise<OpenWeb> {
  const opened = (site = await openWeb({ PUBLIC_URL: "http://localhost:3000" }));
  await opened.api("POST", "/articles", [article(1, ["huawei"])]);
  for (let i = 0; i < readers; i++) {
    const reader = {
      address: `reader${i}@example.com`,
      tags: ["huawei"],
      confirmed: true,
      consent: { method: "test" },
    };
    await opened.api("POST", "/subscribers", reader);
  }
  await opened.api("POST", "/editions");
  await opened.render(1);
  return opened;
}

test("twenty watchers share one read, and nothing is read after they have left", async () => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  let looks = 0;
  let sent = 0;
  const look = async () => ((looks += 1), { sent });
  const live = openLive({ look, log: silentLog }, 5);
  // Long enough for many looks, whatever one takes.
  const pass = () => vi.advanceTimersByTimeAsync(10_000);
  const told: { sent: number }[][] = Array.from({ length: 20 }, () => []);
  const leave = told.map((list) => live.watch((picture) => list.push(picture)));
  await pass();
  expect(looks).toBeGreaterThan(2);
  // Nothing has changed, so nothing is told; but whoever comes late is told how things are.
  const late: object[] = [];
  const leaveLate = live.watch((picture) => late.push(picture));
  await pass();
  expect(late).toHaveLength(1);
  leaveLate();
  expect(told.map((list) => list.length)).toEqual(told.map(() => 1));
  sent = 1;
  await pass();
  expect(told[19]!.at(-1)).toEqual({ sent: 1 });
  expect(told[0]!.at(-1)).toBe(told[19]!.at(-1));
  for (const go of leave) go();
  const left = looks;
  await pass();
  expect([looks, vi.getTimerCount()]).toEqual([left, 0]);
});

test("a read takes four queries for any number of active editions, and everything about an edition changes together", async () => {
  const opened = await openSending(2);
  await opened.api("POST", "/articles", [article(2, ["huawei"])]);
  await opened.api("POST", "/editions", { extra: true });
  await opened.render(2);
  const asked: string[] = [];
  let queries = 0;
  const counted = opened.app.db.withPlugin({
    transformQuery: ({ node }) => node,
    transformResult: async ({ result }) => ((queries += 1), result),
  });
  const db = new Proxy(counted, {
    get(target, name) {
      if (name === "selectFrom") return (table: "editions") => (asked.push(table), target.selectFrom(table));
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === "function" ? (value.bind(target) as unknown) : value;
    },
  });
  const look = followEditions({
    db,
    clock: opened.clock,
    transport: opened.app.transport,
    options: opened.app.options,
  });
  await sql`update deliveries set state = 'sent' where id = (select min(id) from deliveries)`.execute(opened.app.db);
  const { editions, progress } = await look();
  expect(editions.map(({ state }) => state)).toEqual(["sending", "sending"]);
  expect(progress.map(({ sentence, sum }) => [sentence !== "", sum])).toEqual([
    [true, expect.stringContaining("selected 2 =")],
    [true, expect.stringContaining("sent 1")],
  ]);
  expect(progress[1]!.bar[0]).toMatchObject({ kind: "sent", count: "1", width: "50.00" });
  expect(progress[1]!.domains).toEqual([{ domain: "example.com", sent: "1", failed: "0", open: "1" }]);
  asked.length = queries = 0;
  await look();
  expect(queries).toBe(4);
  // One of the editions named is part of the other's query.
  expect(asked).toEqual(["editions", "editions", "suppressions"]);

  const due = new Date("2026-11-24T08:20:00Z");
  await sql`update deliveries set state = 'deferred', due_at = ${due} where id = (select min(id) from deliveries)`.execute(
    opened.app.db,
  );
  await sql`update deliveries set state = 'rejected' where id = (select min(id) + 1 from deliveries)`.execute(
    opened.app.db,
  );
  const first = (await look()).progress.find(({ id }) => id === 1)!;
  expect(first.domains).toEqual([{ domain: "example.com", sent: "0", failed: "1", open: "1" }]);
  expect(first.bar.map(({ count }) => count)).toEqual(["0", "1", "0", "0", "1"]);
  const retry = first.acts.find(({ action }) => action === "retry");
  expect(retry).toMatchObject({ n: 1, empty: false });
  const until = "25 Nov, 08:00";
  expect(first.notes).toEqual([textOf("edition.deferred", { n: 1, next: "24 Nov, 08:20", until })]);
  const dashboard = await signIn(opened);
  const { body } = await dashboard.get("/operator/editions/2026-11-24");
  expect(body).toContain(textOf("edition.deferred", { n: 1, next: "24 Nov, 08:20", until }));
  opened.app.transport = {
    ...opened.app.transport,
    state: () => ({ open: 0, busy: 0, pausedUntil: due, reason: "421 Busy." }),
  };
  const trouble = textOf("edition.relay_trouble", { reason: "421 Busy." });
  expect((await dashboard.get("/operator/editions/2026-11-24")).body).toContain(trouble);
});

test("an edition's page and its events offer to retry what a retry sends", async () => {
  const opened = await openSending(4);
  const { db, clock, transport, options } = opened.app;
  await sql`update deliveries set state = case when id = (select max(id) from deliveries) then 'expired' else 'rejected' end`.execute(
    db,
  );
  await opened.api("POST", "/outcomes", [{ address: "reader0@example.com", outcome: "complained" }]);
  await sql`update subscribers set status = 'unsubscribed' where address = 'reader1@example.com'`.execute(db);
  const n = 2;
  const { progress } = await followEditions({ db, clock, transport, options })();
  expect(progress[0]!.acts.find(({ action }) => action === "retry")).toMatchObject({ n, empty: false });
  const dashboard = await signIn(opened);
  const { body } = await dashboard.get("/operator/editions/2026-11-24");
  expect(body).toContain(textOf("act.retry", { n }));
  expect((await opened.api("POST", "/editions/2026-11-24/retry")).json()).toMatchObject({ affected: n });
});

test("the event stream is complete from the start, reports changed states, needs a session, and ends with the server", async () => {
  const { app, web, inject } = await openSending(1);
  const unsigned = await inject({ method: "GET", url: "/operator/events", headers: { "hx-request": "true" } });
  expect([unsigned.statusCode, unsigned.headers["hx-refresh"]]).toEqual([401, "true"]);
  const { cookie } = await signIn({ app, inject });
  await web.listen({ host: "127.0.0.1", port: 0 });
  const { port } = web.server.address() as AddressInfo;
  const listen = async (path: string) => {
    const request = httpGet({ port, host: "127.0.0.1", path, headers: { cookie } });
    const [answer] = (await once(request, "response")) as [IncomingMessage];
    const heard = { answer, text: "" };
    answer.setEncoding("utf8").on("data", (part: string) => (heard.text += part));
    return heard;
  };
  const up = await listen("/operator/events?shown=1.sending");
  expect(up.answer.headers).toMatchObject({
    "content-type": "text/event-stream; charset=utf-8",
    "cache-control": "no-store",
  });
  await expect.poll(() => up.text, { timeout: 10_000 }).toContain('hx-target="#sentence-1"');
  expect(up.text).toContain('data: <tr><th scope="row">example.com</th>');
  expect(up.text).toContain('hx-target="#act-1-retry"');
  expect(up.text).not.toContain("event:");
  const stale = await listen("/operator/events?shown=1.held&edition=1");
  await expect.poll(() => stale.text, { timeout: 10_000 }).toContain("event: changed");
  const ended = once(up.answer, "end");
  await web.close();
  await ended;
});

test("HEAD requests and disconnected clients do not count as watchers, and HEAD reads no export", async () => {
  const opened = (site = await openWeb({ PUBLIC_URL: "http://localhost:3000" }));
  const { app, web, inject } = opened;
  const { cookie } = await signIn({ app, inject });
  const headers = { cookie, authorization: `Bearer ${token}` };
  const streams = [
    "/operator/events",
    "/operator/readers/export.csv",
    "/operator/editions/2026-11-24/deliveries.csv",
    "/api/v1/subscribers/export",
    "/api/v1/editions/2026-11-24/deliveries/export",
  ];
  for (const url of streams) {
    const answer = await inject({ method: "HEAD", url, headers });
    // "export" is no id of a reader either.
    expect(answer.statusCode, url).toBeOneOf([404, 405, 422]);
  }
  await web.listen({ host: "127.0.0.1", port: 0 });
  const { port } = web.server.address() as AddressInfo;
  const path = "/operator/events";
  // More than the 200 places; some leave before they are answered.
  for (let n = 0; n < 210; n++) {
    const request = httpGet({ port, host: "127.0.0.1", path, headers: { cookie } }).on("error", () => undefined);
    await once(request, n % 2 === 0 ? "response" : "finish");
    request.destroy();
  }
  const statusOf = async (): Promise<number | undefined> => {
    const request = httpGet({ port, host: "127.0.0.1", path, headers: { cookie } });
    const [answer] = (await once(request, "response")) as [IncomingMessage];
    answer.destroy();
    return answer.statusCode;
  };
  await expect.poll(statusOf).toBe(200);
}, 120_000);

test("a page that is still open gets no more events after its operator was signed out elsewhere", async () => {
  const { app, web, inject } = await openSending(1);
  const { cookie, post } = await signIn({ app, inject });
  await web.listen({ host: "127.0.0.1", port: 0 });
  const { port } = web.server.address() as AddressInfo;
  vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] });
  const request = httpGet({ port, host: "127.0.0.1", path: "/operator/events", headers: { cookie } });
  const [answer] = (await once(request, "response")) as [IncomingMessage];
  const ended = once(answer.resume(), "end");
  await post("/operator/account/sessions");
  vi.advanceTimersByTime(15_000);
  await ended;
});

test("twenty simultaneous sends from pages, API and command line create one edition, and the others are refused", async () => {
  const opened = (site = await openWeb());
  const { app, web, api, inject } = opened;
  await api("POST", "/articles", [article(1, ["huawei"])]);
  const dashboard = await signIn({ app, inject });
  // Whoever asks waits at the sources until all twenty are there.
  let come = 0;
  let letAllIn!: () => void;
  const all = new Promise<void>((resolve) => (letAllIn = resolve));
  app.gather = () => {
    come += 1;
    if (come === 20) letAllIn();
    return all;
  };
  await web.listen({ host: "127.0.0.1", port: 0 });
  const url = `http://127.0.0.1:${(web.server.address() as AddressInfo).port}`;
  const commands = Array.from({ length: 4 }, () =>
    startProgram(["edition", "send"], { DAYLETTER_URL: url, DAYLETTER_TOKEN: token }),
  );
  const clicks = Array.from({ length: 8 }, () => dashboard.post("/operator/send", { date: "2026-11-24", after: "0" }));
  const requests = Array.from({ length: 8 }, () => api("POST", "/editions"));
  const codes = await Promise.all(commands.map(({ exited }) => exited));
  const places = (await Promise.all(clicks)).map((answer) => answer.headers.location);
  const answers = await Promise.all(requests);

  const done = "/operator/editions/2026-11-24?done=send";
  expect(places.filter((place) => place !== done && place !== `${done}&already=1`)).toEqual([]);
  const made = places.filter((place) => place === done).length;
  const created = answers.filter(({ statusCode }) => statusCode === 201).length;
  expect(made + created + codes.filter((code) => code === 0).length).toBe(1);
  const sentence = "Edition 2026-11-24 already exists";
  for (const { statusCode, body } of answers) if (statusCode !== 201) expect(body).toContain(sentence);
  for (const [n, code] of codes.entries())
    if (code !== 0) expect([code, commands[n]!.output()]).toEqual([1, expect.stringContaining(sentence)]);
  expect((await dashboard.get(`${done}&already=1`)).body).toMatch(/class="notice" role="status">[^<]*already sent/);
  expect(JSON.parse((await api("GET", "/editions")).body).editions).toHaveLength(1);
  const sends = app.db.selectFrom("audit").select("actor").where("action", "=", "edition send");
  expect(await sends.execute()).toHaveLength(1);
});
