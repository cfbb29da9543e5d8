import type { FastifyInstance } from "fastify";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { caps } from "../../src/abuse/limits.ts";
import { buildWeb } from "../../src/web/build.ts";
import { startWorker, type RunningWorker } from "../../src/worker.ts";
import { allEngines } from "../support/engines.ts";
import { signUps, type SignUps } from "../support/sign-up.ts";
import { startSink, type Sink } from "../support/sink.ts";
import { eventually, openWorld, type World } from "../support/world.ts";

const servers = allEngines.filter(({ name }) => name !== "embedded");

/** All of it where the counters are in Redis, as many sites with so many readers have them; a quarter in the database. */
const floods = servers.map((engine) => ({ engine, posts: engine.name.includes("Redis") ? 10_000 : 2_500 }));

describe.each(floods)("$posts sign-ups on $engine.name", { timeout: 120_000 }, ({ engine, posts: all }) => {
  let engines: Awaited<ReturnType<typeof engine.open>>;
  let sink: Sink;
  let world: World;
  let web: FastifyInstance;
  let worker: RunningWorker;
  let form: SignUps;

  beforeAll(async () => {
    engines = await engine.open();
    sink = await startSink();
    world = await openWorld({ env: { ...engines.env, SMTP_URL: sink.url } });
    web = buildWeb(world.app);
    worker = await startWorker(world.app);
    form = signUps({ app: world.app, web });
  });
  afterAll(async () => {
    await worker?.stop();
    await web?.close();
    await world?.close();
    await sink?.close();
    await engines?.close();
  });

  /** Posts from `networks` networks in turn; every tenth is for one victim. @returns how many were taken */
  async function flood(posts: number, networks: number, second: number): Promise<number> {
    let taken = 0;
    for (let n = 0; n < posts; n += 20) {
      const answers = await Promise.all(
        Array.from({ length: 20 }, (_, k) => {
          const one = n + k;
          const network = one % networks;
          const address = one % 10 === 0 ? "victim@example.org" : `a${second}-${one}@example.org`;
          return form.send({ address, from: `${second}.${network >> 8}.${network & 255}.${one % 200}` });
        }),
      );
      taken += answers.filter(({ statusCode }) => statusCode === 200).length;
      for (const { statusCode } of answers) expect([200, 429]).toContain(statusCode);
    }
    return taken;
  }

  const mailsTo = (address: string) => sink.messages.filter(({ to }) => to === address).length;
  const settled = () =>
    eventually("every sign-up is looked at, and every mail sent", async () => {
      const mails = world.app.db.selectFrom("notices").select("id").where("state", "in", ["pending", "sending"]);
      return (await form.waiting()).length === 0 && (await mails.execute()).length === 0;
    });

  test("from a few networks: their share and no more, and a reader elsewhere needs no JavaScript", async () => {
    const taken = await flood(0.4 * all, 30, 11);
    expect(taken).toBeLessThanOrEqual(caps.plainSite.points / 2 + 30);
    expect((await form.send({ address: "ada@example.com", from: "203.0.113.5" })).statusCode).toBe(200);
    await eventually("ada has her mail", async () => mailsTo("ada@example.com") === 1);
  });

  test("from thousands of networks: within the caps, in flat memory, and a reader elsewhere still gets in", async () => {
    const before = process.memoryUsage().rss;
    await flood(0.6 * all, 0.3 * all, 12);
    await settled();
    expect(process.memoryUsage().rss - before).toBeLessThan(80 * 1024 * 1024);
    expect(sink.count()).toBeLessThanOrEqual(caps.plainSite.points);
    expect(mailsTo("victim@example.org")).toBe(1);
    const rows = await world.app.db.selectFrom("caps").select("key").execute();
    if (engines.env["REDIS_URL"]) expect(rows).toEqual([]);
    // Once all is used, a network leaves no row.
    else expect(rows.filter(({ key }) => key.startsWith("plainNetwork")).length).toBeLessThan(0.2 * all);
    expect(new Set(sink.messages.map(({ to }) => to)).size).toBe(sink.count());

    const reader = { address: "bob@example.com", from: "198.51.100.5" };
    const waits = await form.send(reader);
    expect(waits.statusCode).toBe(429);
    expect(Number(waits.headers["retry-after"])).toBeGreaterThan(3_000);
    expect(waits.body).toContain('data-challenge="/challenge"');
    const altcha = await form.proof();
    expect((await form.send({ ...reader, fields: { altcha } })).statusCode).toBe(200);
    await eventually("bob has his mail", async () => mailsTo("bob@example.com") === 1);
  });

  test("an address is asked once an hour and three times a day, and the form never says so", async () => {
    const { app } = world;
    const again = await form.send({ address: "bob@example.com", fields: { altcha: await form.proof() } });
    expect(again.statusCode).toBe(200);
    await settled();
    expect(mailsTo("bob@example.com")).toBe(1);
    expect(await app.mayMail("carla@example.com")).toBe(true);
    expect(await app.mayMail("carla@example.com")).toBe(false);
  });
});
