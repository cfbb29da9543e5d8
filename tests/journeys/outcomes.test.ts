import { simpleParser } from "mailparser";
import nodemailer from "nodemailer";
import { describe, expect, test } from "vitest";
import { freePort } from "../../src/base/free-port.ts";
import { editionStatus } from "../../src/alerts/status.ts";
import { addSubscriber } from "../../src/subscribers/add.ts";
import { findByAddress } from "../../src/subscribers/store.ts";
import { unsubscribe } from "../../src/subscribers/leave.ts";
import { closedAfterEach } from "../support/closing.ts";
import { allEngines } from "../support/engines.ts";
import { startSink, type SinkOptions } from "../support/sink.ts";
import { tellStory } from "../support/story.ts";
import { eventually } from "../support/world.ts";

const minute = 60_000;
const closing = closedAfterEach();

describe.each(allEngines)("what becomes of each mail, on $name", ({ open }) => {
  const begin = async (relay: SinkOptions, readers: number | string[], env: Record<string, string> = {}) => {
    const addresses =
      typeof readers === "number" ? Array.from({ length: readers }, (_, i) => `r${i}@example.org`) : readers;
    const story = await tellStory({ open, readers: addresses, relay, env });
    closing.push(() => story.end());
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

  test("an edition that the relay accepted gets its bounces back, and they say who cannot be reached", async () => {
    const port = await freePort();
    const env = { BOUNCE_ADDRESS: "bounce@news.example.com", BOUNCE_LISTEN: `127.0.0.1:${port}` };
    const { world, sink, send, state, sums } = await begin({}, 30, env);
    await send();
    await state("finished");
    expect(await sums()).toMatchObject({ sent: 30 });
    const transport = nodemailer.createTransport({ host: "127.0.0.1", port, ignoreTLS: true, pool: true });
    const gone = new Set(["r1@example.org", "r2@example.org", "r3@example.org"]);
    for (const { from, to } of sink.messages) {
      const status = gone.has(to) ? "5.1.1" : to === "r4@example.org" ? "5.2.2" : null;
      if (status === null) continue;
      const report = `Reporting-MTA: dns; mx.example.org\r\n\r\nAction: failed\r\nStatus: ${status}\r\n`;
      const raw = `Content-Type: message/delivery-status\r\n\r\n${report}`;
      await transport.sendMail({ envelope: { from: "", to: from }, raw });
    }
    transport.close();
    const { outcomes, suppressed } = await editionStatus(world.app.db, await state("finished"));
    expect({ outcomes, suppressed }).toMatchObject({ outcomes: { hard: 3, soft: 1, spared: 0 }, suppressed: 3 });
    const reached = async (address: string) => (await findByAddress(world.app.db, address))!.status;
    expect(await Promise.all([...gone, "r4@example.org"].map(reached))).toEqual([
      "suppressed",
      "suppressed",
      "suppressed",
      "active",
    ]);
  });

  test("an email to the address in the header unsubscribes its reader, from the next edition on", async () => {
    const port = await freePort();
    const env = { BOUNCE_ADDRESS: "bounce@news.example.com", BOUNCE_LISTEN: `127.0.0.1:${port}` };
    const { world, sink, send, state } = await begin({}, ["leaves@example.org", "stays@example.org"], env);
    await send();
    await state("finished");
    const { raw } = sink.messages.find(({ to }) => to === "leaves@example.org")!;
    const header = (await simpleParser(raw)).headerLines.find(({ key }) => key === "list-unsubscribe")!.line;
    const [, oneClick, mailto] = /^List-Unsubscribe: <(.+)>,\s+<(.+)>$/.exec(header)!;
    expect(oneClick).toMatch(/^https:/);
    const { protocol, pathname, searchParams } = new URL(mailto!);
    expect(protocol).toBe("mailto:");
    const transport = nodemailer.createTransport({ host: "127.0.0.1", port, ignoreTLS: true });
    await transport.sendMail({
      from: "Lea <leaves@example.org>",
      to: decodeURIComponent(pathname),
      subject: searchParams.get("subject")!,
      text: "",
    });
    transport.close();
    const statuses = ["leaves@example.org", "stays@example.org"].map(
      async (address) => (await findByAddress(world.app.db, address))!.status,
    );
    expect(await Promise.all(statuses)).toEqual(["unsubscribed", "active"]);
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
    await expect(act("resume")).rejects.toThrow(expect.objectContaining({ code: "edition_action_not_possible" }));
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
