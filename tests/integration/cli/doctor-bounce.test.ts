import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { freePort } from "../../../src/base/free-port.ts";
import type { Check } from "../../../src/cli/doctor/check.ts";
import { startWeb, type RunningWeb } from "../../../src/server.ts";
import { startWorker, type RunningWorker } from "../../../src/worker.ts";
import { bounceTo } from "../../support/bouncing.ts";
import { startSink, type Answer, type Received, type Sink } from "../../support/sink.ts";
import { textOf } from "../../support/text.ts";
import { openWorld, testEnv, type World } from "../../support/world.ts";
import { execute } from "../../unit/cli/execute.ts";

let sink: Sink;
let world: World;
let worker: RunningWorker;
let web: RunningWeb;
let env: Record<string, string>;
/** What the relay does with the test email. */
let onRcpt: (to: string) => Answer;
let onMessage: (message: Received) => void;
beforeAll(async () => {
  sink = await startSink({ onRcpt: (to) => onRcpt(to), onMessage: (message) => onMessage(message) });
  const port = await freePort();
  const mail = { SMTP_URL: sink.url, MAIL_FROM: "alerts@news.example.com" };
  env = { ...mail, BOUNCE_ADDRESS: "bounce@news.example.com", BOUNCE_LISTEN: `127.0.0.1:${port}` };
  world = await openWorld({ env });
  worker = await startWorker(world.app);
  web = await startWeb(world.app);
});
afterAll(async () => {
  await web.stop();
  await worker.stop(0);
  await world.close();
  await sink.close();
});
beforeEach(() => {
  onRcpt = () => null;
  onMessage = () => undefined;
});

/** The last check of `doctor`. */
async function doctor(...options: string[]): Promise<Check> {
  const { stdout } = await execute(["doctor", "--json", ...options], testEnv(world.dataDir, env));
  return (JSON.parse(stdout) as { checks: Check[] }).checks.at(-1)!;
}

const left = () => world.app.db.selectFrom("notices").selectAll().execute();
const bounce = (status?: string) => (message: Received) =>
  void bounceTo(message.from, { port: Number(env["BOUNCE_LISTEN"]!.split(":")[1]), ...(status && { status }) });

test("without --bounce, no email is sent", async () => {
  expect((await doctor()).name).toBe("times");
  expect(sink.count()).toBe(0);
});

test("a bounce that comes back is reported with its time, and nothing is left of the test", async () => {
  onMessage = bounce();
  const check = await doctor("--bounce");
  expect(check).toMatchObject({ name: "bounce", level: "ok" });
  expect(check.sentence).toMatch(/after \d+ s: 550 5\.1\.1 Not here$/);
  const { to, from } = sink.messages.at(-1)!;
  expect(to).toMatch(/^dayletter-bounce-test-[0-9a-f]{16}@news\.example\.com$/);
  expect(from).toMatch(/^bounce\+/);
  expect(await left()).toEqual([]);
  const audit = await world.app.db.selectFrom("audit").select("action").execute();
  expect(audit.map(({ action }) => action)).toEqual(["bounce test"]);
  // The bounce comes again, later.
  bounce()(sink.messages.at(-1)!);
  expect(await left()).toEqual([]);
});

test("a bounce because of the sender is a warning", async () => {
  onMessage = bounce("5.7.1");
  expect(await doctor("--bounce")).toMatchObject({ level: "warn", sentence: expect.stringContaining("5.7.1") });
});

test("a relay that knows its addresses refuses at once, which is an answer too", async () => {
  onRcpt = () => "550 5.1.1 No such user here";
  const check = await doctor("--bounce");
  expect(check).toMatchObject({ level: "ok", sentence: expect.stringContaining("No such user here") });
  expect(await left()).toEqual([]);
});

test("a relay that refuses the sender fails the test", async () => {
  onRcpt = () => "550 5.7.1 Relaying denied";
  expect(await doctor("--bounce")).toMatchObject({
    level: "fail",
    sentence: expect.stringContaining("Relaying denied"),
  });
});

test("a bounce that does not come back fails the test when the time is up", async () => {
  const check = await doctor("--bounce", "--wait", "1");
  expect(check).toMatchObject({ name: "bounce", level: "fail", sentence: expect.stringContaining("within 1 s") });
  expect(await left()).toEqual([]);
});

test("too many tests are refused, and a wrong time too", async () => {
  const { actor } = await world.app.db.selectFrom("audit").select("actor").executeTakeFirstOrThrow();
  const spend = async (): Promise<void> => {
    for (;;) await world.app.caps.countTest(actor);
  };
  await expect(spend()).rejects.toMatchObject({ code: "too_many_test_emails" });
  const before = sink.count();
  expect((await doctor("--bounce")).level).toBe("fail");
  expect(sink.count()).toBe(before);
  expect((await execute(["doctor", "--bounce", "--wait", "0"], testEnv(world.dataDir, env))).code).toBe(2);
});

test("without BOUNCE_ADDRESS, it says what to set", async () => {
  const { BOUNCE_ADDRESS: _, BOUNCE_LISTEN: __, ...without } = env;
  const other = await openWorld({ env: without });
  const page = await startWeb(other.app);
  try {
    const { stdout } = await execute(["doctor", "--json", "--bounce"], testEnv(other.dataDir, without));
    const { checks } = JSON.parse(stdout) as { checks: Check[] };
    expect(checks.at(-1)).toMatchObject({ level: "fail", sentence: textOf("error.bounce_test_without_address") });
  } finally {
    await page.stop();
    await other.close();
  }
});
