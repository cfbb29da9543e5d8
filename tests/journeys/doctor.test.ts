import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { freePort } from "../../src/base/free-port.ts";
import { bounceTo } from "../support/bouncing.ts";
import { serverIsUp, startProgram, type Program } from "../support/program.ts";
import { startSink, type Sink } from "../support/sink.ts";
import { eventually, testEnv } from "../support/world.ts";

const dataDir = mkdtempSync(join(tmpdir(), "dayletter-doctor-"));
let bouncing = true;
let sink: Sink;
let server: Program;
let env: Record<string, string>;

beforeAll(async () => {
  const port = await freePort();
  sink = await startSink({
    onMessage: ({ from }) => void (bouncing && bounceTo(from, { port })),
  });
  const mail = { SMTP_URL: sink.url, BOUNCE_ADDRESS: "bounce@news.example", BOUNCE_LISTEN: `127.0.0.1:${port}` };
  env = { ...testEnv(dataDir, mail), LOG_LEVEL: "info" };
  server = startProgram(["serve"], env);
  await serverIsUp(dataDir, server);
});
afterAll(async () => {
  await server.end("SIGTERM");
  await sink.close();
  rmSync(dataDir, { recursive: true, force: true });
});

test("a bounce is sent through the relay and comes back to the worker", async () => {
  const doctor = startProgram(["doctor", "--bounce"], env);
  await doctor.exited;
  expect(doctor.output()).toMatch(/^ok {4}bounce {7}.* 550 5\.1\.1 Not here$/m);
  expect(sink.count()).toBe(1);
});

test("an interrupted test leaves nothing behind, and a bounce that comes later is ignored", async () => {
  bouncing = false;
  const doctor = startProgram(["doctor", "--bounce"], env);
  await sink.waitFor(2);
  expect(await doctor.end("SIGINT")).toBe(1);
  expect(doctor.output()).toMatch(/^fail {2}bounce /m);
  const before = server.output().length;
  await bounceTo(sink.messages[1]!.from, { port: Number(env["BOUNCE_LISTEN"]!.split(":")[1]) });
  await eventually("the listener has said so", async () =>
    server.output().slice(before).includes("outcome has no email"),
  );
});
