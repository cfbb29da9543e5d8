import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { memoryLimit } from "../support/memory.ts";
import { serverIsUp, startProgram, type Program } from "../support/program.ts";
import { testEnv } from "../support/world.ts";

const dataDir = mkdtempSync(join(tmpdir(), "dayletter-start-"));
let server: Program;

beforeAll(async () => {
  server = startProgram(["serve"], { ...testEnv(dataDir), LOG_LEVEL: "warn" });
  await serverIsUp(dataDir, server);
});
afterAll(async () => {
  await server.end("SIGTERM");
  rmSync(dataDir, { recursive: true, force: true });
});

test("the whole server takes at most 400 MB after its first start", () => {
  const status = `/proc/${server.pid}/status`;
  // Only Linux tells it without a program of its own.
  if (!existsSync(status)) return;
  const [, kilobytes] = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(status, "utf8")) ?? [];
  expect(Number(kilobytes) * 1024).toBeLessThan(memoryLimit(400e6));
});

test("says at once what is there and what to do next: commands in the terminal, links on the front page", async () => {
  const url = readFileSync(join(dataDir, "server"), "utf8").trim();
  const page = await (await fetch(url)).text();
  for (const words of ["dayletter sources add", "dayletter subscribers add", "Set SMTP_URL"]) {
    expect(server.output()).toContain(words);
  }
  for (const path of ["sources#add", "readers#import", "setup"]) expect(page).toContain(`href="/operator/${path}"`);
  expect(page).toContain("Telecom Daily");
});

test("no log holds the first operator's link: a command prints a new one", async () => {
  expect(server.output()).toContain("dayletter operators link");
  expect(server.output()).not.toContain("/operator/setup/");
  const first = new URL(readFileSync(join(dataDir, "setup"), "utf8").trim()).pathname;
  const command = startProgram(["operators", "link"], testEnv(dataDir));
  expect(await command.exited).toBe(0);
  const link = /\/operator\/setup\/[\w-]{43}/.exec(command.output())![0];
  const url = readFileSync(join(dataDir, "server"), "utf8").trim();
  const [former, now] = await Promise.all([fetch(url + first), fetch(url + link)]);
  expect([former.status, now.status]).toEqual([404, 200]);
});

test("a second process on the same data folder is refused with the first one's number", async () => {
  const second = startProgram(["serve"], testEnv(dataDir));
  expect(await second.exited).toBe(1);
  expect(second.output()).toContain(`in use by process ${server.pid}`);
});
