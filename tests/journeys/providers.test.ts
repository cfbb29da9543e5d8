import { describe, expect, test } from "vitest";
import { sql } from "kysely";
import { actOnEdition } from "../../src/editions/operator-actions.ts";
import { getEdition } from "../../src/editions/store.ts";
import { openAlerts } from "../../src/alerts/store.ts";
import { resumeProvider } from "../../src/providers/resume.ts";
import { findByAddress } from "../../src/subscribers/store.ts";
import { limitedProviders, readProvider } from "../../src/providers/store.ts";
import { closedAfterEach } from "../support/closing.ts";
import { allEngines } from "../support/engines.ts";
import { scriptedReplies } from "../support/replies.ts";
import type { Answer, SinkOptions } from "../support/sink.ts";
import { storyStart, tellStory, type Story } from "../support/story.ts";
import { eventually } from "../support/world.ts";

const minute = 60_000;
const closing = closedAfterEach();
const at = (domain: string, count: number) => Array.from({ length: count }, (_, i) => `r${i}@${domain}`);

describe.each(allEngines)("a mailbox provider, on $name", ({ open }) => {
  let story: Story;

  const begin = async (relay: SinkOptions, readers: string[], env: Record<string, string> = {}) => {
    story = await tellStory({ open, readers, relay, env });
    closing.push(() => story.end());
    return story;
  };

  test("that asks for fewer emails waits ten minutes, comes back with one message, and stops nobody else", async () => {
    let slow = true;
    const { world, clock, look, send, sums, sink, sent } = await begin(
      { onData: (to) => (slow && to.endsWith("@gmail.com") ? "421 4.7.28 unusual rate of mail" : null) },
      [...at("gmail.com", 30), ...at("example.org", 40), ...at("web.de", 30)],
      { SMTP_CONNECTIONS: "4" },
    );
    await send();
    await eventually("the others got theirs", async () => (await sums()).sent === 70);
    expect(sent("gmail.com")).toBe(0);
    const { tried } = story;
    expect(tried("gmail.com")).toBeLessThanOrEqual(4);
    const paused = await readProvider(world.app.db, "google");
    expect(paused).toMatchObject({ state: "paused", failures: 1, reply: "421 4.7.28 unusual rate of mail" });
    expect(paused.until).toEqual(new Date("2026-11-24T07:10:00Z"));
    slow = false;
    clock.advance(9 * minute);
    await look();
    await story.idle();
    expect(sent("gmail.com")).toBe(0);
    clock.advance(minute + 2_000);
    await look();
    await story.state("finished");
    expect(await sums()).toMatchObject({ sent: 100 });
    expect(await readProvider(world.app.db, "google")).toMatchObject({ state: "open", failures: 0 });
    expect(sink.count()).toBe(100);
  });

  test("that asks again pauses twice as long, and for as long as an operator does not resume it", async () => {
    const { world, clock, look, send, sums, tried } = await begin(
      { onRcpt: (to) => (to.endsWith("@gmail.com") ? "421 4.7.28 unusual rate of mail" : null) },
      [...at("gmail.com", 6), ...at("example.org", 6)],
      { SMTP_CONNECTIONS: "4" },
    );
    await send();
    await eventually("the others got theirs", async () => (await sums()).sent === 6);
    const first = tried("gmail.com");
    for (const [failures, minutes] of [
      [2, 20],
      [3, 40],
    ] as const) {
      const { until } = await readProvider(world.app.db, "google");
      clock.set(new Date(until!.getTime() + 1_500));
      await look();
      const paused = await eventually("it is paused again", async () => {
        const row = await readProvider(world.app.db, "google");
        return row.failures === failures ? row : null;
      });
      expect(paused.until!.getTime() - clock.now().getTime()).toBe(minutes * minute);
      await story.idle();
      // One message each time.
      expect(tried("gmail.com")).toBe(first + failures - 1);
    }
    const before = tried("gmail.com");
    await resumeProvider(world.app, { name: "google", actor: "test" });
    await eventually("it is tried at once", async () => tried("gmail.com") > before);
    expect((await readProvider(world.app.db, "google")).failures).toBeLessThanOrEqual(1);
    expect(await sums()).toMatchObject({ sent: 6, rejected: 0 });
    // What still waits expires with the edition.
    clock.advance(24 * 60 * minute);
    await look();
    await story.state("finished");
    expect(await sums()).toMatchObject({ sent: 6, expired: 6 });
  });

  test("that refuses everything is blocked, counts against no address, and the others get theirs", async () => {
    let refuse = true;
    const { world, send, sums, tried } = await begin(
      { onData: (to) => (refuse && to.endsWith("@outlook.com") ? "550 5.7.515 Access denied" : null) },
      [...at("outlook.com", 80), ...at("example.org", 60)].toSorted(),
      { SMTP_CONNECTIONS: "4" },
    );
    const { app } = world;
    await send();
    await eventually("the others got theirs", async () => (await sums()).sent === 60);
    await story.idle();
    expect((await getEdition(app.db, "2026-11-24")).state).toBe("sending");
    const { rejected, pending } = await sums();
    expect(rejected).toBe(tried("outlook.com"));
    expect(rejected).toBeGreaterThanOrEqual(10);
    expect(rejected).toBeLessThan(20);
    expect(pending).toBe(80 - rejected);
    expect(await readProvider(app.db, "microsoft")).toMatchObject({
      state: "blocked",
      reply: "550 5.7.515 Access denied",
    });
    expect(
      await eventually("the alert is raised", async () =>
        (await openAlerts(app.db)).find(({ kind }) => kind === "provider"),
      ),
    ).toMatchObject({ data: { provider: "microsoft" } });
    const readers = await Promise.all(at("outlook.com", 80).map((address) => findByAddress(app.db, address)));
    expect(new Set(readers.map((reader) => reader?.status))).toEqual(new Set(["active"]));
    refuse = false;
    expect(await resumeProvider(app, { name: "microsoft", actor: "test" })).toEqual({ changed: true });
    await story.state("finished");
    expect(await sums()).toMatchObject({ sent: 140 - rejected, rejected });
    await actOnEdition(app, { date: "2026-11-24", number: 1, action: "retry", actor: "test" });
    await story.state("finished");
    expect(await sums()).toMatchObject({ sent: 140, rejected: 0 });
  });

  test("of several that all refuse is the relay's trouble, and pauses the edition", async () => {
    const { world, send } = await begin(
      { onData: () => "554 5.7.1 rejected as spam" },
      [...at("gmail.com", 20), ...at("example.org", 20), ...at("web.de", 20)].toSorted(),
      { SMTP_CONNECTIONS: "4" },
    );
    await send();
    await story.state("paused");
    expect(await limitedProviders(world.app.db)).toEqual([]);
  });
});

/** Each domain gets one reply, at one stage; readers of another domain stand between them. */
describe.each(["rcpt", "final"] as const)("a relay that says everything, at %s", (stage) => {
  const scripted = scriptedReplies
    .map((one, i) => ({ domain: `d${i}.example`, reply: one.reply, meaning: one[stage] }))
    // Replies about the relay itself stop every domain; tests/unit/mail covers them.
    .filter(({ meaning }) => meaning !== "deferred relay");
  const readersOf = (domain: string) => [`a@${domain}`, `b@${domain}`];

  test("who waits, how long, who is suppressed and who is not", async () => {
    const answer = (to: string): Answer => scripted.find(({ domain }) => to.endsWith(`@${domain}`))?.reply ?? null;
    const readers = scripted.flatMap(({ domain }, i) => [
      ...readersOf(domain),
      ...Array.from({ length: 4 }, (_, k) => `r${4 * i + k}@fine.example`),
    ]);
    const { open } = allEngines[0]!;
    const relay = stage === "rcpt" ? { onRcpt: answer } : { onData: answer };
    const story = await tellStory({ open, readers, relay, env: { SMTP_CONNECTIONS: "4" } });
    closing.push(() => story.end());
    const { app } = story.world;
    await story.send();
    await eventually("everybody else got theirs", async () => (await story.sums()).sent === 4 * scripted.length);
    await story.idle();
    await app.providers.settled();
    const { rows } = await sql<{ address: string; status: string; state: string; due: Date | null }>`
      select s.address, s.status, d.state, d.due_at as due from deliveries d join subscribers s on s.id = d.subscriber_id
      `.execute(app.db);
    const of = new Map(rows.map((row) => [row.address, row]));
    const limited = new Map((await limitedProviders(app.db)).map((one) => [one.name, one]));
    const inMinutes = (n: number) => new Date(storyStart.getTime() + n * minute);
    for (const { domain, reply, meaning } of scripted) {
      const [first, second] = readersOf(domain).map((address) => of.get(address)!) as unknown as [Row, Row];
      const states = [first, second].map(({ state }) => state);
      const statuses = [first, second].map(({ status }) => status);
      const provider = limited.get(domain);
      const suppressed = meaning === "rejected address" ? "suppressed" : "active";
      expect(statuses, reply).toEqual([suppressed, suppressed]);
      if (meaning.startsWith("rejected")) expect(states, reply).toEqual(["rejected", "rejected"]);
      else if (meaning === "deferred address") {
        expect(states, reply).toEqual(["deferred", "deferred"]);
        expect(first.due, reply).toEqual(inMinutes(30));
      } else {
        // One was tried, the other waits with it.
        expect(states.toSorted(), reply).toEqual(["deferred", "pending"]);
        expect(provider, reply).toMatchObject({ state: "paused", until: inMinutes(10) });
      }
      expect(provider === undefined, reply).toBe(meaning !== "deferred provider");
    }
    story.clock.advance(10 * minute + 1_500);
    await story.look();
    await eventually("all providers are paused for twenty minutes more", async () => {
      const again = await limitedProviders(app.db);
      return again.length === limited.size && again.every(({ failures }) => failures === 2);
    });
  });
});

test(
  "a slow provider beside fast ones: the fast ones finish as if alone, wherever its readers are in the list",
  { timeout: 120_000 },
  async () => {
    const fast = Array.from({ length: 600 }, (_, i) => `r${i}@${["one", "two", "three"][i % 3]}.example`);
    const slow = Array.from({ length: 300 }, (_, i) => `s${i}@slow.example`);
    const mixed = [...slow.slice(0, 100), ...fast.flatMap((address, i) => [address, ...slow.slice(100 + i, 101 + i)])];
    const took = async (readers: string[]): Promise<number> => {
      const held = new Set<() => void>();
      const server: SinkOptions["server"] = {
        onRcptTo(address, _session, done) {
          if (address.address.endsWith("@slow.example")) held.add(done);
          else done();
        },
      };
      const { open } = allEngines[0]!;
      const story = await tellStory({ open, readers, relay: { server }, env: { SMTP_CONNECTIONS: "10" } });
      await story.send();
      await story.sink.waitFor(1);
      const began = performance.now();
      await story.sink.waitFor(fast.length);
      const ms = performance.now() - began;
      // None has answered. At first it may have a quarter of the connections.
      expect(held.size).toBeLessThanOrEqual(3);
      for (const done of held) done();
      await story.end();
      return ms;
    };
    const alone = await took(fast);
    expect(await took(mixed)).toBeLessThan(1.5 * alone + 3_000);
  },
);

interface Row {
  state: string;
  status: string;
  due: Date | null;
}
