import { once } from "node:events";
import { get as httpGet, type IncomingMessage } from "node:http";
import { readFileSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { sql } from "kysely";
import { afterEach, expect, test } from "vitest";
import { openLive, type Progress } from "../../../src/web/operator/live.ts";
import { startProgram } from "../../support/program.ts";
import { article, openWeb, token, type OpenWeb } from "./open.ts";

let site: OpenWeb | null = null;
afterEach(async () => {
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

test("twenty watchers share one look at the database, and nobody looks once they have left", async () => {
  const { app } = await openSending(2);
  let looks = 0;
  const db = new Proxy(app.db, {
    get(target, name) {
      // Each look begins with the newest editions.
      if (name === "selectFrom")
        return (table: "editions") => ((looks += table === "editions" ? 1 : 0), target.selectFrom(table));
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === "function" ? (value.bind(target) as unknown) : value;
    },
  });
  const live = openLive({ ...app, db }, 5);
  const told: Progress[][] = Array.from({ length: 20 }, () => []);
  const leave = told.map((list) => live.watch((progress) => list.push(progress)));
  await expect.poll(() => told.every((list) => list.length === 1)).toBe(true);
  const before = looks;
  await expect.poll(() => looks).toBeGreaterThan(before + 1);
  // Nothing has changed, so nothing is told; but whoever comes late is told how things are.
  const late: Progress[] = [];
  const leaveLate = live.watch((progress) => late.push(progress));
  await expect.poll(() => late.length).toBe(1);
  leaveLate();
  expect(told.map((list) => list.length)).toEqual(told.map(() => 1));
  await sql`update deliveries set state = 'sent' where id = (select min(id) from deliveries)`.execute(app.db);
  await expect.poll(() => told[19]!.at(-1)?.balance).toContain("sent 1");
  expect(told[0]!.at(-1)).toBe(told[19]!.at(-1));
  expect(told[0]!.at(-1)!.bar[0]).toMatchObject({ kind: "sent", count: "1", width: "50.00" });
  for (const go of leave) go();
  const left = looks;
  await app.db.selectFrom("sources").select("id").execute();
  await new Promise((resolve) => setTimeout(resolve, 60));
  expect(looks - left).toBeLessThanOrEqual(1);
});

test("the stream gives the whole picture at once, needs a session, and ends with the server", async () => {
  const { app, web, inject } = await openSending(1);
  expect(
    (await inject({ method: "GET", url: "/operator/events", headers: { accept: "text/event-stream" } })).statusCode,
  ).toBe(401);
  const link = new URL(readFileSync(join(app.config.dataDir, "setup"), "utf8").trim()).pathname;
  const password = "kettle marble orbit tulip";
  const headers = { "content-type": "application/x-www-form-urlencoded" };
  const payload = new URLSearchParams({ name: "Ada", password, repeated: password }).toString();
  const signedIn = await inject({ method: "POST", url: link, headers, payload });
  const cookie = String(signedIn.headers["set-cookie"]).split(";")[0]!;
  await web.listen({ host: "127.0.0.1", port: 0 });
  const { port } = web.server.address() as AddressInfo;
  const request = httpGet({ port, host: "127.0.0.1", path: "/operator/events", headers: { cookie } });
  const [answer] = (await once(request, "response")) as [IncomingMessage];
  expect(answer.headers).toMatchObject({
    "content-type": "text/event-stream; charset=utf-8",
    "cache-control": "no-store",
  });
  let text = "";
  answer.setEncoding("utf8").on("data", (part: string) => (text += part));
  await expect.poll(() => text).toContain("data: ");
  const progress = JSON.parse(/^data: (.*)$/m.exec(text)![1]!) as Progress;
  expect(progress).toMatchObject({
    name: "2026-11-24",
    state: "sending",
    domains: [{ domain: "example.com", open: 1 }],
  });
  const ended = once(answer, "end");
  await web.close();
  await ended;
});

test("twenty who send now at once, from pages, the API and the command line, make one edition, and the others are told", async () => {
  const opened = (site = await openWeb());
  const { app, web, api, inject } = opened;
  await api("POST", "/articles", [article(1, ["huawei"])]);
  const link = new URL(readFileSync(join(app.config.dataDir, "setup"), "utf8").trim()).pathname;
  const password = "kettle marble orbit tulip";
  const form = { "content-type": "application/x-www-form-urlencoded" };
  const payload = new URLSearchParams({ name: "Ada", password, repeated: password }).toString();
  const cookie = String((await inject({ method: "POST", url: link, headers: form, payload })).headers["set-cookie"]);
  const headers = { ...form, cookie: cookie.split(";")[0]! };
  const page = await inject({ method: "GET", url: "/operator/send", headers });
  const csrf = /name="csrf" value="([\w-]+)"/.exec(page.body)![1]!;
  const click = new URLSearchParams({ csrf, date: "2026-11-24", after: "0" }).toString();
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
  const clicks = Array.from({ length: 8 }, () =>
    inject({ method: "POST", url: "/operator/send", headers, payload: click }),
  );
  const requests = Array.from({ length: 8 }, () => api("POST", "/editions"));
  const codes = await Promise.all(commands.map(({ exited }) => exited));
  const places = (await Promise.all(clicks)).map((answer) => answer.headers.location);
  const answers = await Promise.all(requests);

  const done = "/operator/editions/2026-11-24?done=send";
  expect(places.filter((place) => place !== done && place !== `${done}&already=1`)).toEqual([]);
  const made = places.filter((place) => place === done).length;
  const created = answers.filter(({ statusCode }) => statusCode === 201).length;
  expect(made + created + codes.filter((code) => code === 0).length).toBe(1);
  const sentence = "There is an edition 2026-11-24 already";
  for (const { statusCode, body } of answers) if (statusCode !== 201) expect(body).toContain(sentence);
  for (const [n, code] of codes.entries())
    if (code !== 0) expect([code, commands[n]!.output()]).toEqual([1, expect.stringContaining(sentence)]);
  expect((await inject({ method: "GET", url: `${done}&already=1`, headers })).body).toContain(
    "It had been sent already",
  );
  expect(JSON.parse((await api("GET", "/editions")).body).editions).toHaveLength(1);
  const sends = app.db.selectFrom("audit").select("actor").where("action", "=", "edition send");
  expect(await sends.execute()).toHaveLength(1);
});
