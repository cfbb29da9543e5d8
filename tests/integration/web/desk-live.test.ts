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

test("twenty watchers share one look, and nobody looks once they have left", async () => {
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

test("a look takes two queries however many editions go out, and tells of each", async () => {
  const opened = await openSending(2);
  await opened.api("POST", "/articles", [article(2, ["huawei"])]);
  await opened.api("POST", "/editions", { extra: true });
  await opened.render(2);
  const asked: string[] = [];
  const db = new Proxy(opened.app.db, {
    get(target, name) {
      if (name === "selectFrom") return (table: "editions") => (asked.push(table), target.selectFrom(table));
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === "function" ? (value.bind(target) as unknown) : value;
    },
  });
  const look = followEditions({ db, clock: opened.clock });
  await sql`update deliveries set state = 'sent' where id = (select min(id) from deliveries)`.execute(opened.app.db);
  const { editions, progress } = await look();
  expect(editions.map(({ state }) => state)).toEqual(["sending", "sending"]);
  expect(progress.map(({ words }) => words)).toEqual([
    "Today’s extra edition (2) is being sent. 0 of 2 readers have it.",
    "Today’s edition is being sent. 1 of 2 readers has it.",
  ]);
  expect(progress[1]!.bar[0]).toMatchObject({ kind: "sent", count: "1", width: "50.00" });
  expect(progress[1]!.domains).toEqual([{ domain: "example.com", sent: "1", failed: "0", open: "1" }]);
  asked.length = 0;
  await look();
  // One of the tables named is part of the other's query.
  expect(asked).toEqual(["editions", "editions", "deliveries"]);
});

test("the stream gives the whole picture at once, tells of another state, needs a session, and ends with the server", async () => {
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
  await expect.poll(() => up.text, { timeout: 10_000 }).toContain("0 of 1 reader have it.");
  expect(up.text).toContain('data: <tr><th scope="row">example.com</th>');
  expect(up.text).not.toContain("event:");
  const stale = await listen("/operator/events?shown=1.held&edition=1");
  await expect.poll(() => stale.text, { timeout: 10_000 }).toContain("event: changed");
  const ended = once(up.answer, "end");
  await web.close();
  await ended;
});

test("neither HEAD nor a client that is gone keeps a watcher's place, and no export is read for HEAD", async () => {
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

test("whoever was signed out in another place hears no more on the page that is still open", async () => {
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

test("twenty who send now at once, from pages, the API and the command line, make one edition, and the others are told", async () => {
  const opened = (site = await openWeb());
  const { app, web, api, inject } = opened;
  await api("POST", "/articles", [article(1, ["huawei"])]);
  const desk = await signIn({ app, inject });
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
  const clicks = Array.from({ length: 8 }, () => desk.post("/operator/send", { date: "2026-11-24", after: "0" }));
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
  expect((await desk.get(`${done}&already=1`)).body).toMatch(/class="notice" role="status">[^<]*already sent/);
  expect(JSON.parse((await api("GET", "/editions")).body).editions).toHaveLength(1);
  const sends = app.db.selectFrom("audit").select("actor").where("action", "=", "edition send");
  expect(await sends.execute()).toHaveLength(1);
});
