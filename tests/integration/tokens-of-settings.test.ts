import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { silentLog, type Log } from "../../src/base/log.ts";
import { findToken, listTokens, revokeToken } from "../../src/operators/tokens.ts";
import { listAudit } from "../../src/audit/audit.ts";
import { ensureToken } from "../../src/operators/data-folder.ts";
import { movedClock } from "../support/clock.ts";
import { openWorld, type World } from "../support/world.ts";

const clock = movedClock("2026-11-24T05:00:00Z");
const [one, two, three] = ["one", "two", "three"].map((name) => `${name}-${"t".repeat(40)}`) as [
  string,
  string,
  string,
];
let world: World;
let dataDir: string;
let warnings: string[] = [];
const log: Log = { ...silentLog, warn: (_fields, message) => void warnings.push(message) };

beforeAll(async () => {
  // Of its own, as on a machine that has never made a token.
  dataDir = mkdtempSync(join(tmpdir(), "dayletter-tokens-"));
  world = await openWorld({ clock, env: { DAYLETTER_TOKEN: one } });
});
afterAll(async () => {
  await world.close();
  rmSync(dataDir, { recursive: true });
});

const start = async (token: string | null): Promise<void> => {
  warnings = [];
  await ensureToken({ db: world.app.db, log, clock }, { bootstrapToken: token, dataDir });
};
const good = async (token: string): Promise<boolean> => (await findToken(world.app.db, token, clock.now())) !== null;
const revoked = async () =>
  (await listAudit(world.app.db, { limit: 100 })).filter(({ action }) => action === "token revoke");

test("a start with another DAYLETTER_TOKEN ends the former one, once, and says so in the audit log", async () => {
  expect(await good(one)).toBe(true);
  await Promise.all([start(two), start(two)]);
  expect([await good(one), await good(two)]).toEqual([false, true]);
  expect(await revoked()).toMatchObject([
    { actor: "dayletter", subject: "setting", detail: { because: "setting_changed" } },
  ]);
  await start(two);
  expect(await revoked()).toHaveLength(1);
});

test("a process that still has the former one neither revives it nor ends the new one", async () => {
  await start(one);
  expect([await good(one), await good(two)]).toEqual([false, true]);
  expect(warnings).toEqual([expect.stringContaining("DAYLETTER_TOKEN")]);
});

test("without the setting its token ends, and the machine has one to begin with", async () => {
  await start(null);
  expect(await good(two)).toBe(false);
  expect(await revoked()).toHaveLength(2);
  expect((await listTokens(world.app.db, clock.now())).map(({ name }) => name)).toEqual(["first"]);
  await start(three);
  expect(await good(three)).toBe(true);
});

test("one that an operator has revoked stays so", async () => {
  await revokeToken(world.app, "setting", "Ada");
  await start(three);
  expect(await good(three)).toBe(false);
});
