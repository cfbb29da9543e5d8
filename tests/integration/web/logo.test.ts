import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { FastifyInstance } from "fastify";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openApp, type App } from "../../../src/app.ts";
import { silentLog } from "../../../src/base/log.ts";
import { loadHere, ownSettings } from "../../../src/config/load.ts";
import { changeLogo } from "../../../src/operations/change-logo.ts";
import { buildWeb } from "../../../src/web/build.ts";
import { token } from "./open.ts";
import { textOf } from "../../support/text.ts";

const dir = mkdtempSync(join(tmpdir(), "dayletter-logo-"));
const env: Record<string, string> = {
  DATA_DIR: dir,
  DAYLETTER_TOKEN: token,
  PUBLIC_URL: "https://alerts.example.com",
};
const drawing = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 40 20"><path d="M0 0h40v20z"/></svg>';
const png = readFileSync(new URL("../../fixtures/logo.png", import.meta.url));
let app: App;
let web: FastifyInstance;
let reopened = 0;

async function open(settings: Record<string, string> = env): Promise<void> {
  const config = loadHere(settings);
  const own = ownSettings(config, settings);
  app = await openApp(config, { log: silentLog, command: "test", settings: own, reopen: () => void (reopened += 1) });
  web = buildWeb(app);
}
async function close(): Promise<void> {
  await web.close();
  await app.close(0);
}
beforeAll(() => open());
afterAll(async () => {
  await close();
  rmSync(dir, { recursive: true, force: true });
});

async function api(method: "GET" | "PUT" | "DELETE", content?: Buffer | string, type = "application/octet-stream") {
  const headers = { authorization: `Bearer ${token}`, ...(content === undefined ? {} : { "content-type": type }) };
  const payload = content === undefined ? {} : { payload: content };
  const answer = await web.inject({ method, url: "/api/v1/logo", headers, ...payload });
  return { status: answer.statusCode, ...answer.json() };
}
const logged = () =>
  app.db.selectFrom("audit").select(["actor", "came_from", "detail"]).where("action", "=", "settings set").execute();

test("what the page refuses as a logo the API refuses in the same words, and nothing is kept of it", async () => {
  expect(await api("GET")).toEqual({ status: 200, logo: null, fixed: false });
  for (const [content, status, sentence] of [
    ["", 422, textOf("error.logo_type")],
    ["GIF89a", 422, textOf("error.logo_type")],
    [drawing.replace("<path", "<script/><path"), 422, textOf("error.logo_svg_active", { part: "script" })],
    [drawing.padEnd(200_001), 422, textOf("error.logo_too_large", { kilobytes: 201, most: 200 })],
    ["x".repeat(5_000_001), 413, textOf("error.body_too_large")],
  ] as const)
    expect(await api("PUT", content)).toMatchObject({ status, detail: expect.stringContaining(sentence) });
  expect([await logged(), reopened, readdirSync(dir).filter((name) => name.startsWith("logo."))]).toEqual([[], 0, []]);
});

test("a logo is set once, shown, and taken away once, with who did it in the log", async () => {
  const set = await api("PUT", drawing, "image/svg+xml");
  expect(set).toMatchObject({
    status: 200,
    changed: true,
    sentence: "The logo was set. The server is restarting.",
  });
  expect(loadHere(env).logo?.name).toBe(set.logo.name);
  expect(await api("PUT", drawing)).toMatchObject({ status: 200, changed: false });
  expect(reopened).toBe(1);
  await close();
  await open();
  expect(await api("GET")).toEqual({
    status: 200,
    fixed: false,
    logo: {
      name: expect.stringMatching(/^logo\.[0-9a-f]{12}\.svg$/),
      type: "image/svg+xml",
      width: 40,
      height: 20,
      bytes: drawing.length,
      url: `https://alerts.example.com/assets/${set.logo.name}`,
      inMails: false,
    },
  });
  expect(await api("PUT", png)).toMatchObject({ changed: true, logo: { type: "image/png", inMails: true } });
  expect(await api("DELETE")).toMatchObject({ changed: true, logo: null });
  expect(await api("DELETE")).toMatchObject({ changed: false, logo: null, sentence: "No change. There is no logo." });
  expect(loadHere(env).logo).toBeNull();
  const entries = await logged();
  expect(entries).toHaveLength(3);
  for (const entry of entries) expect(entry).toMatchObject({ actor: "setting", came_from: "127.0.0.1" });
});

test("of two logos that are set at once the one that counts is kept", async () => {
  const wanted = [drawing, drawing.replace("h40v20z", "h20v20z")].map((content) => Buffer.from(content));
  const set = await Promise.all(wanted.map((content) => changeLogo(app, { content, actor: "test" })));
  expect(loadHere(env).logo?.name).toBe(set[1]!.logo?.name);
});

test("a logo that the environment sets is changed there", async () => {
  await close();
  await open({ ...env, PUBLICATION_LOGO: new URL("../../fixtures/logo.png", import.meta.url).pathname });
  expect(await api("GET")).toMatchObject({ fixed: true, logo: { type: "image/png" } });
  const refused = { status: 409, detail: textOf("error.logo_fixed") };
  expect(await api("PUT", drawing)).toMatchObject(refused);
  expect(await api("DELETE")).toMatchObject(refused);
});
