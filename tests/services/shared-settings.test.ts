import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { InjectOptions, LightMyRequestResponse } from "fastify";
import { simpleParser } from "mailparser";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { App } from "../../src/app.ts";
import { serverIsUp, startProgram, type Program } from "../support/program.ts";
import { freshDatabase, freshRedis } from "../support/services.ts";
import { signIn, type Dashboard } from "../support/sign-in.ts";
import { startSink, type Sink } from "../support/sink.ts";
import { eventually, testEnv } from "../support/world.ts";

const folder = mkdtempSync(join(tmpdir(), "dayletter-shared-settings-"));
const token = "a-token-that-is-long-enough-for-tests";
const limitMs = 120_000;
let database: Awaited<ReturnType<typeof freshDatabase>>;
let sink: Sink;
let web: Program;
let worker: Program;
let dashboard: Dashboard;

beforeAll(async () => {
  database = await freshDatabase();
  const redis = await freshRedis();
  sink = await startSink();
  const env = {
    DATABASE_URL: database.url,
    REDIS_URL: redis.url,
    SMTP_URL: sink.url,
    PUBLICATION_NAME: "",
    POSTAL_ADDRESS: "",
    MAIL_FROM: "alerts@example.com",
    LANGUAGE: "de",
    DAYLETTER_TOKEN: token,
  };
  web = startProgram(["web"], testEnv(join(folder, "web"), env));
  await serverIsUp(join(folder, "web"), web);
  worker = startProgram(["worker"], testEnv(join(folder, "worker"), env));
  await eventually("the worker is ready", async () => readyTimes(worker) === 1);
  dashboard = await signInAt(join(folder, "web"));
}, limitMs);
afterAll(async () => {
  await Promise.all([web?.end("SIGTERM"), worker?.end("SIGTERM")]);
  await sink?.close();
  await database?.drop();
  rmSync(folder, { recursive: true, force: true });
});

const readyTimes = (program: Program): number => program.output().split('"msg":"ready"').length - 1;

/** As `inject` of a server in this process, but of the program with this data folder. */
const requestOf =
  (dataDir: string) =>
  async (options: InjectOptions): Promise<LightMyRequestResponse> => {
    const {
      method,
      url,
      headers = {},
      payload,
    } = options as InjectOptions & {
      url: string;
      headers?: Record<string, string>;
      payload?: string;
    };
    const server = readFileSync(join(dataDir, "server"), "utf8").trim();
    const sent = payload === undefined ? {} : { body: payload };
    const answer = await fetch(server + url, { method: method ?? "GET", headers, redirect: "manual", ...sent });
    return {
      statusCode: answer.status,
      headers: { ...Object.fromEntries(answer.headers), "set-cookie": answer.headers.getSetCookie() },
      body: await answer.text(),
    } as unknown as LightMyRequestResponse;
  };
const request = requestOf(join(folder, "web"));
const signInAt = (dataDir: string): Promise<Dashboard> =>
  signIn({ app: { config: { dataDir } } as App, inject: requestOf(dataDir) });

test(
  "settings that an operator saves beside PostgreSQL reach the pages and the emails, without a restart by hand",
  async () => {
    const setup = (await dashboard.get("/operator/setup")).body;
    for (const name of ["LANGUAGE", "MAIL_FROM", "PUBLIC_URL"]) {
      expect(setup).toMatch(new RegExp(`id="${name}"[^>]* disabled`));
    }
    const saved = await dashboard.post("/operator/setup/publication", {
      PUBLICATION_NAME: "Shared Daily",
      POSTAL_ADDRESS: "2 Other Street, York",
      LANGUAGE: "ko",
    });
    expect([saved.statusCode, saved.body]).toEqual([200, expect.stringContaining("data-next")]);
    await eventually("both processes have the settings", async () => readyTimes(web) + readyTimes(worker) === 4);

    const page = (await dashboard.get("/operator/setup")).body;
    expect(page).toContain('value="Shared Daily"');
    expect((await request({ url: "/" })).body).toMatch(/<html lang="de">[^]*Shared Daily/);
    const article = { url: "https://news.example/1", title: "LG U+ lays a cable", tags: ["lg u+"] };
    const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
    const url = "/api/v1/articles";
    const added = await request({ method: "POST", url, headers, payload: JSON.stringify(article) });
    expect(added.statusCode).toBe(200);
    const sent = await dashboard.post("/operator/setup/test", { address: "ada@example.com" });
    expect(sent.statusCode).toBe(303);
    await eventually("the email has the new name and address", async () => {
      const message = sink.messages.find(({ to }) => to === "ada@example.com");
      const mail = message && (await simpleParser(message.raw));
      return mail?.from?.value[0]?.name === "Shared Daily" && mail.text?.includes("2 Other Street, York");
    });
  },
  limitMs,
);

test("an invalid value is reported at its field, and settings of editions and alerts are on a page too", async () => {
  const wrong = await dashboard.post("/operator/settings/editions", { MAX_ARTICLES: "900", APPROVAL: "hold" });
  expect([wrong.statusCode, wrong.body]).toEqual([422, expect.stringMatching(/id="MAX_ARTICLES-wrong"/)]);
  expect(wrong.body).toContain('value="900"');
  const before = readyTimes(worker);
  const saved = await dashboard.post("/operator/settings/editions", { MAX_ARTICLES: "9", APPROVAL: "hold" });
  expect(saved.statusCode).toBe(200);
  await eventually("the worker has them", async () => readyTimes(worker) === before + 1);
  const page = await eventually("the server is back", () => dashboard.get("/operator/settings").catch(() => null));
  expect(page.body).toMatch(/id="MAX_ARTICLES"[^>]*value="9"/);
  expect(page.body).toMatch(/value="hold" selected/);
});

test(
  "without a postal address nothing is sent, and doctor says so, until an operator saves one",
  async () => {
    const other = await freshDatabase();
    const dataDir = join(folder, "alone");
    const env = testEnv(dataDir, { DATABASE_URL: other.url, POSTAL_ADDRESS: "", SMTP_URL: "smtp://relay.invalid:25" });
    const alone = startProgram(["serve"], env);
    const findings = async (): Promise<string[]> => {
      const doctor = startProgram(["doctor", "--json"], env);
      await doctor.exited;
      const { checks } = JSON.parse(doctor.output()) as { checks: { name: string; level: string }[] };
      return checks.filter(({ name }) => name === "postal address").map(({ level }) => level);
    };
    try {
      await serverIsUp(dataDir, alone);
      await eventually("the server is ready", async () => readyTimes(alone) === 1);
      expect(alone.output()).toContain("no email is sent until POSTAL_ADDRESS is set");
      expect(await findings()).toEqual(["fail"]);
      await (await signInAt(dataDir)).post("/operator/setup/publication", { POSTAL_ADDRESS: "3 Third Street" });
      await eventually("the server is back", async () => readyTimes(alone) === 2);
      expect(alone.output().match(/no email is sent until/g)).toHaveLength(1);
      expect(await findings()).toEqual([]);
    } finally {
      await alone.end("SIGTERM");
      await other.drop();
    }
  },
  limitMs,
);
