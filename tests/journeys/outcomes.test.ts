import { afterEach, describe, expect, test } from "vitest";
import { actOnEdition } from "../../src/editions/act.ts";
import { sendNow } from "../../src/editions/send-now.ts";
import type { EditionAction } from "../../src/editions/state.ts";
import { getEdition, type Edition } from "../../src/editions/store.ts";
import { editionStatus } from "../../src/operations/status.ts";
import { addSubscriber } from "../../src/subscribers/add.ts";
import { findByAddress } from "../../src/subscribers/store.ts";
import { unsubscribe } from "../../src/subscribers/leave.ts";
import { startWorker, type RunningWorker } from "../../src/worker.ts";
import { movedClock, type MovedClock } from "../support/clock.ts";
import { allEngines } from "../support/engines.ts";
import { addAllNewsReaders, addArticle } from "../support/readers.ts";
import { startSink, type Sink, type SinkOptions } from "../support/sink.ts";
import { eventually, openWorld, type World } from "../support/world.ts";

const minute = 60_000;

describe.each(allEngines)("what becomes of each mail, on $name", ({ open }) => {
  let story: Story;
  afterEach(() => story.end());

  const begin = async (sink: SinkOptions, readers: number | string[], env: Record<string, string> = {}) => {
    story = await tell(open, sink, env);
    await addAllNewsReaders(
      story.world.app,
      typeof readers === "number" ? Array.from({ length: readers }, (_, i) => `r${i}@example.org`) : readers,
    );
    await addArticle(story.world.app, "News");
    return story;
  };

  test("an address that does not exist is suppressed, and cannot be added again", async () => {
    const { world, send, state, sums } = await begin(
      { onRcpt: (to) => (to === "gone@example.org" ? "550 5.1.1 No such user <gone@example.org>" : null) },
      ["gone@example.org", "here@example.org"],
    );
    await send();
    await state("finished");
    expect(await sums()).toMatchObject({ sent: 1, rejected: 1 });
    expect(await findByAddress(world.app.db, "gone@example.org")).toMatchObject({ status: "suppressed" });
    const again = { address: "gone@example.org", tags: [], allTags: true, confirmed: true, actor: "test" };
    await expect(addSubscriber(world.app, again)).rejects.toMatchObject({ code: "address_suppressed" });
  });

  test("a full mailbox is tried again by the back-off, and expires in the end", async () => {
    let full = true;
    const { clock, look, send, state, sums, sink } = await begin(
      { onRcpt: (to) => (to === "never@example.org" || full ? "452 4.2.2 Mailbox full" : null) },
      ["soon@example.org", "never@example.org"],
    );
    await send();
    await eventually("both are deferred", async () => (await sums()).deferred === 2);
    await look();
    expect(sink.count()).toBe(0);
    full = false;
    clock.advance(40 * minute);
    await look();
    await eventually("one is sent", async () => (await sums()).sent === 1);
    clock.advance(24 * 60 * minute);
    await look();
    await state("finished");
    expect(await sums()).toMatchObject({ sent: 1, expired: 1 });
  });

  test("a relay that refuses everything pauses the edition with its reply, and spares the readers", async () => {
    let refuse = true;
    const { world, act, send, state, sums } = await begin(
      { onMail: () => (refuse ? "550 5.7.1 Sender domain is blocked" : null) },
      60,
      { SMTP_CONNECTIONS: "4" },
    );
    await send();
    const paused = await state("paused");
    expect(paused).toMatchObject({
      reason_code: "relay_refuses_all",
      reason_data: { reply: expect.stringContaining("5.7.1 Sender domain is blocked") },
    });
    await eventually("nothing is in flight", async () => (await sums()).sending === 0);
    expect((await sums()).rejected).toBeLessThan(20);
    expect(await findByAddress(world.app.db, "r0@example.org")).toMatchObject({ status: "active" });
    refuse = false;
    await act("retry");
    await act("resume");
    await state("finished");
    expect(await sums()).toMatchObject({ sent: 60, rejected: 0 });
  });

  test("a relay that knows nobody pauses the edition, and whom it has suppressed is back when an operator says so", async () => {
    let lost = true;
    const { world, act, clock, look, send, state, sums } = await begin(
      { onRcpt: (to) => (lost ? `550 5.1.1 No such user <${to}>` : null) },
      200,
      { SMTP_CONNECTIONS: "4" },
    );
    const { db } = world.app;
    await send();
    const paused = await state("paused");
    expect(paused.reason_code).toBe("many_addresses_gone");
    await eventually("nothing is in flight", async () => (await sums()).sending === 0);
    const { rejected } = await sums();
    expect(rejected).toBeLessThan(40);
    expect(await findByAddress(db, "r0@example.org")).toMatchObject({ status: "suppressed" });
    clock.advance(minute);
    // Who leaves meanwhile, by a link of an older mail, has left.
    await unsubscribe(db, (await findByAddress(db, "r1@example.org"))!.id, clock.now());
    lost = false;
    expect(await act("unsuppress")).toMatchObject({ affected: rejected, changed: true });
    expect(await act("unsuppress")).toMatchObject({ affected: 0, changed: false });
    expect((await findByAddress(db, "r0@example.org"))?.status).toBe("active");
    expect((await findByAddress(db, "r1@example.org"))?.status).toBe("unsubscribed");
    await act("retry");
    await act("resume");
    await look();
    await state("finished");
    expect(await sums()).toMatchObject({ sent: 199, rejected: 1 });
  });

  test("where the addresses are really gone, resuming goes on and does not stop again", async () => {
    const { act, look, send, state, sums } = await begin(
      { onRcpt: (to) => (/^r\d*[02468]@/.test(to) ? "550 5.1.1 No such user" : null) },
      120,
      { SMTP_CONNECTIONS: "4" },
    );
    await send();
    await state("paused");
    await act("resume");
    await look();
    await state("finished");
    expect(await sums()).toMatchObject({ sent: 60, rejected: 60 });
  });

  test("an answer lost after the dot is unknown, is not sent again by itself, and is when an operator says so", async () => {
    let drop = true;
    const { act, look, send, state, sums, sink } = await begin(
      { onData: (to) => (drop && to === "r3@example.org" ? "drop" : null) },
      6,
    );
    await send();
    await state("finished");
    expect(await sums()).toMatchObject({ sent: 5, unknown: 1 });
    await look();
    expect(sink.count()).toBe(5);
    drop = false;
    expect(await act("resend-unknown")).toMatchObject({ affected: 1, changed: true });
    await state("finished");
    expect(await sums()).toMatchObject({ sent: 6, unknown: 0 });
    expect(await act("resend-unknown")).toMatchObject({ affected: 0, changed: false });
  });

  test(
    "a pause while 5,000 go out stops within 2 s, who leaves meanwhile gets nothing, the rest get theirs once",
    { timeout: 90_000 },
    async () => {
      const readers = 5_000;
      const { world, act, send, state, sums, sink } = await begin({}, readers, { SLICE_SIZE: "500" });
      await send();
      await sink.waitFor(200);
      await act("pause");
      const answered = Date.now();
      await eventually("nothing is in flight", async () => (await sums()).sending === 0);
      const before = sink.count();
      expect(sink.messages.at(-1)!.receivedAt.getTime() - answered).toBeLessThan(2_000);
      expect(before).toBeLessThan(readers / 2);
      const left = (await findByAddress(world.app.db, `r${readers - 1}@example.org`))!;
      await unsubscribe(world.app.db, left.id, world.app.clock.now());
      expect(sink.count()).toBe(before);
      await act("resume");
      await sink.waitFor(readers - 1);
      await state("finished");
      expect(await sums()).toMatchObject({ sent: readers - 1, skipped: 1 });
      expect(new Set(sink.messages.map((message) => message.to)).size).toBe(readers - 1);
      expect(sink.count()).toBe(readers - 1);
    },
  );

  test("a cancelled edition sends nothing more, and still adds up", async () => {
    const { act, send, state, sums, sink } = await begin({ delayMs: 20 }, 80, { SMTP_CONNECTIONS: "2" });
    await send();
    await sink.waitFor(3);
    await act("cancel");
    await state("cancelled");
    await eventually("nothing is in flight", async () => (await sums()).sending === 0);
    const { sent, skipped } = await sums();
    expect(sent + skipped).toBe(80);
    expect(sink.count()).toBe(sent);
    await expect(act("resume")).rejects.toThrow("is cancelled");
  });

  test("a relay that is down for a while costs time and no mail", async () => {
    const { clock, look, send, state, sums, sink } = await begin({ onConnect: () => null }, 20);
    const { port } = sink;
    await sink.close();
    await send();
    await eventually("the relay was tried", async () => (await sums()).deferred > 0);
    const back = await startSink({ port });
    await eventually("everyone was tried", async () => {
      const { pending, sending } = await sums();
      return pending + sending === 0;
    });
    clock.advance(40 * minute);
    await look();
    await back.waitFor(20);
    await state("finished");
    expect(await sums()).toMatchObject({ sent: 20 });
    expect(back.count()).toBe(20);
    await back.close();
  });
});

interface Story {
  world: World;
  sink: Sink;
  clock: MovedClock;
  look(): Promise<void>;
  send(): Promise<void>;
  act(action: EditionAction): ReturnType<typeof actOnEdition>;
  state(name: string): Promise<Edition>;
  sums(): Promise<Awaited<ReturnType<typeof editionStatus>>["balance"]>;
  end(): Promise<void>;
}

async function tell(
  open: (typeof allEngines)[number]["open"],
  options: SinkOptions,
  env: Record<string, string>,
): Promise<Story> {
  const clock = movedClock("2026-11-24T07:00:00Z");
  const engines = await open();
  const sink = await startSink(options);
  const world = await openWorld({ clock, env: { ...engines.env, SMTP_URL: sink.url, SLICE_SIZE: "50", ...env } });
  const worker: RunningWorker = await startWorker(world.app);
  const { app } = world;
  const edition = () => getEdition(app.db, "2026-11-24");
  const goOn = async () => app.wake("queue-slices", { editionId: (await edition()).id });
  return {
    world,
    sink,
    clock,
    look: () => app.wake("recover", {}),
    async send() {
      await sendNow(app, { extra: false, actor: "test" });
    },
    async act(action) {
      const acted = await actOnEdition(app, { date: "2026-11-24", number: 1, action, actor: "test" });
      if (acted.edition.state === "sending") await goOn();
      return acted;
    },
    state: (name) =>
      eventually(`the edition is ${name}`, async () => {
        const found = await edition();
        return found.state === name ? found : null;
      }),
    sums: async () => (await editionStatus(app.db, await edition())).balance,
    async end() {
      await worker.stop();
      await world.close();
      await Promise.all([sink.close(), engines.close()]);
    },
  };
}
