import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openApp, type App } from "../../src/app.ts";
import { silentLog } from "../../src/base/log.ts";
import { loadHere, settingsSource } from "../../src/config/load.ts";
import { changeLogo } from "../../src/operators/change-settings.ts";

const dir = mkdtempSync(join(tmpdir(), "dayletter-logo-"));
const env: Record<string, string> = { DATA_DIR: dir, PUBLIC_URL: "https://alerts.example.com" };
const drawing = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 40 20"><path d="M0 0h40v20z"/></svg>';
let app: App;

async function open(settings: Record<string, string> = env): Promise<void> {
  const config = loadHere(settings);
  app = await openApp(config, { log: silentLog, command: "test", source: settingsSource(settings) });
}
beforeAll(() => open());
afterAll(async () => {
  await app.close(0);
  rmSync(dir, { recursive: true, force: true });
});

const change = (content: string | null) =>
  changeLogo(app, { content: content === null ? null : Buffer.from(content), actor: "mina" });
const logged = () =>
  app.db.selectFrom("audit").select(["actor", "detail"]).where("action", "=", "settings set").execute();
const kept = () => readdirSync(dir).filter((name) => name.startsWith("logo."));

test.each([
  ["an empty file", ""],
  ["another format", "GIF89a"],
  ["a script", drawing.replace("<path", "<script/><path")],
  ["a file that is too large", drawing.padEnd(200_001)],
])("%s is refused as a logo, and nothing of it is kept", async (_, content) => {
  await expect(change(content)).rejects.toMatchObject({ status: 422, code: "logo_invalid" });
  expect([await logged(), kept()]).toEqual([[], []]);
});

test("a logo is set once and removed once, and the audit log says by whom", async () => {
  const set = await change(drawing);
  expect(set).toMatchObject({ changed: true, logo: { type: "image/svg+xml", width: 40, height: 20 } });
  expect(loadHere(env).logo?.name).toBe(set.logo!.name);
  expect(await change(drawing)).toMatchObject({ changed: false });
  expect(await change(null)).toMatchObject({ changed: true, logo: null });
  expect(await change(null)).toMatchObject({ changed: false, logo: null });
  expect([loadHere(env).logo, kept()]).toEqual([null, []]);
  expect((await logged()).map(({ actor }) => actor)).toEqual(["mina", "mina"]);
});

test("of two logos that are set at the same time, the active one is kept", async () => {
  const set = await Promise.all([drawing, drawing.replace("h40v20z", "h20v20z")].map(change));
  expect(loadHere(env).logo?.name).toBe(set[1]!.logo?.name);
});

test("a logo that the environment sets can only be changed there", async () => {
  await app.close(0);
  await open({ ...env, PUBLICATION_LOGO: new URL("../fixtures/logo.png", import.meta.url).pathname });
  for (const content of [drawing, null]) {
    await expect(change(content)).rejects.toMatchObject({ status: 409, code: "logo_fixed" });
  }
});
