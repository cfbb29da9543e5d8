import type { Message } from "../../src/texts/catalogue.ts";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import type { SmtpOptions } from "../../src/mail/smtp.ts";
import type { Verdict } from "../../src/mail/verdict.ts";
import { startSink, startSinkProcess, type SinkOptions } from "../support/sink.ts";
import { closeSmtp, mail, sinkOf, transportTo } from "../support/smtp.ts";

afterEach(closeSmtp);

/** The same machine by an address that does not count as loopback, so that the rules for distant relays apply. */
const distant = "0.0.0.0";

describe("connections", () => {
  test("are kept between mails, also after a refusal, and replaced unseen when the relay has hung up", async () => {
    const sink = await sinkOf({ onRcpt: (to) => (to.startsWith("gone") ? "550 5.1.1 no such user" : null) });
    const transport = transportTo(sink.port, { connections: 1 });
    const kinds: string[] = [];
    for (const to of ["a@example.com", "gone@example.com", "b@example.com"])
      kinds.push((await transport.send(mail(to))).kind);
    expect(kinds).toEqual(["sent", "rejected", "sent"]);
    expect(sink.connections()).toBe(1);
    sink.dropAll();
    expect(await transport.send(mail("c@example.com"))).toMatchObject({ kind: "sent" });
    expect(sink.connections()).toBe(2);
    expect(sink.messages.map(({ to }) => to)).toEqual(["a@example.com", "b@example.com", "c@example.com"]);
  });

  test("that the relay has had enough of are replaced unseen", async () => {
    let asked = 0;
    const sink = await sinkOf({ onMail: () => ((asked += 1) === 2 ? "421 4.4.2 too many mails" : null) });
    const transport = transportTo(sink.port, { connections: 1 });
    expect(await transport.send(mail())).toMatchObject({ kind: "sent" });
    expect(await transport.send(mail())).toMatchObject({ kind: "sent" });
    expect(sink.connections()).toBe(2);
  });

  test("are closed when idle", async () => {
    const sink = await sinkOf();
    const transport = transportTo(sink.port, { timeouts: { idle: 20 } });
    await transport.send(mail());
    await expect.poll(() => transport.state().open).toBe(0);
  });

  test("ten work at once, and each of 200 mails arrives once", async () => {
    const sink = await sinkOf({ delayMs: 5 });
    const transport = transportTo(sink.port, { connections: 10 });
    const readers = Array.from({ length: 200 }, (_, i) => `reader${i}@example.com`);
    const queue = readers.values();
    let most = 0;
    await Promise.all(
      Array.from({ length: 15 }, async () => {
        for (const to of queue) {
          expect(await transport.reserve(1)).toBe(1);
          most = Math.max(most, transport.state().busy + 1);
          expect(await transport.send(mail(to))).toMatchObject({ kind: "sent" });
        }
      }),
    );
    expect(most).toBe(10);
    expect(sink.connections()).toBe(10);
    expect(sink.messages.map(({ to }) => to).toSorted()).toEqual(readers.toSorted());
  });
});

describe("closing", () => {
  test("lets what is in flight finish and grants nothing more", async () => {
    const sink = await sinkOf({ delayMs: 100 });
    const transport = transportTo(sink.port, { connections: 2 });
    expect(await transport.reserve(2)).toBe(2);
    const sending = [transport.send(mail("a@example.com")), transport.send(mail("b@example.com"))];
    const waiting = transport.reserve(5);
    await transport.close(5_000);
    expect(await waiting).toBe(0);
    expect((await Promise.all(sending)).map(({ kind }) => kind)).toEqual(["sent", "sent"]);
    expect(await transport.reserve(1)).toBe(0);
    expect(await transport.send(mail())).toMatchObject({ kind: "deferred", scope: "relay" });
    expect(transport.state().open).toBe(0);
  });

  test("cuts after the grace: unknown past the dot, deferred before it", async () => {
    const sink = await sinkOf({
      onRcpt: (to) => (to.startsWith("early") ? "hang" : null),
      onData: () => "hang",
    });
    const transport = transportTo(sink.port, { connections: 2 });
    expect(await transport.reserve(2)).toBe(2);
    const sending = Promise.all([transport.send(mail("early@example.com")), transport.send(mail("late@example.com"))]);
    await transport.close(200);
    expect((await sending).map(({ kind }) => kind)).toEqual(["deferred", "unknown"]);
  });
});

describe("a relay in trouble", () => {
  test("is left alone, then tried with one connection, then used again", async () => {
    const gone = await startSink();
    await gone.close();
    const transport = transportTo(gone.port, { connections: 4 });
    expect(await transport.reserve(4)).toBe(4);
    const verdicts = await Promise.all([1, 2, 3].map(() => transport.send(mail())));
    for (const verdict of verdicts)
      expect(verdict).toMatchObject({ kind: "deferred", scope: "relay", reply: null, code: "relay_unreachable" });
    expect(transport.state()).toMatchObject({
      pausedUntil: expect.any(Date),
      reason: expect.stringMatching(/ECONNREFUSED/),
    });
    expect(await transport.send(mail())).toMatchObject({
      code: "relay_paused",
      quietMs: expect.any(Number),
    });
    const sink = await sinkOf({ port: gone.port });
    const began = performance.now();
    expect(await transport.reserve(4)).toBe(1);
    expect(performance.now() - began).toBeGreaterThan(700);
    expect(await transport.send(mail())).toMatchObject({ kind: "sent" });
    expect(await transport.reserve(4)).toBe(2);
    for (let i = 0; i < 2; i += 1) await transport.send(mail());
    expect(transport.state()).toMatchObject({ pausedUntil: null, reason: null });
    expect(sink.count()).toBe(3);
  });

  test("is not tried by those who gave up waiting", async () => {
    const transport = transportTo((await sinkOf({ onConnect: () => "421 4.3.2 closing" })).port);
    await transport.send(mail());
    expect(await transport.reserve(1, AbortSignal.timeout(20))).toBe(0);
    expect(await transport.reserve(1, AbortSignal.abort())).toBe(0);
  });
});

test("a relay killed in mid-flight: what it took is sent or unknown, what it did not take is never sent", async () => {
  const folder = mkdtempSync(join(tmpdir(), "dayletter-sink-"));
  const sink = await startSinkProcess({ logFile: join(folder, "accepted"), delayMs: 5 });
  const transport = transportTo(sink.port, { connections: 8 });
  const verdicts = new Map<string, Verdict["kind"]>();
  const readers = Array.from({ length: 100 }, (_, i) => `reader${i}@example.com`);
  await Promise.all(
    readers.map(async (to) => {
      verdicts.set(to, (await transport.send(mail(to))).kind);
      // With most of the mails still to come, and no one waits for its return.
      if (verdicts.size === 40) void sink.kill().then(() => transport.close(0));
    }),
  );
  const accepted = sink.accepted().map(({ to }) => to);
  rmSync(folder, { recursive: true });
  const having = (kind: string): string[] => readers.filter((to) => verdicts.get(to) === kind);
  expect(new Set(accepted).size).toBe(accepted.length);
  for (const to of having("sent")) expect(accepted).toContain(to);
  for (const to of accepted) expect(["sent", "unknown"]).toContain(verdicts.get(to));
  expect(having("sent").length).toBeGreaterThanOrEqual(40);
  expect(having("unknown").length).toBeLessThanOrEqual(8);
  expect(having("sent").length + having("unknown").length + having("deferred").length).toBe(100);
});

test("the rate is kept across connections", async () => {
  const sink = await sinkOf();
  const transport = transportTo(sink.port, { connections: 10, rate: 50 });
  const began = performance.now();
  for (let sent = 0; sent < 30;) {
    const n = await transport.reserve(10);
    await Promise.all(Array.from({ length: n }, () => transport.send(mail())));
    sent += n;
  }
  // The first at once, 29 more at 50 a second.
  expect(performance.now() - began).toBeGreaterThan(530);
});

describe("check and log-in", () => {
  const auth = { user: "news", password: "s3cret" };
  const ready = (tls: string, login = "no") => ({ ok: true, key: "relay.ready", details: { tls, login } });
  const refused = (code: string, reply: RegExp | Message) => ({
    ok: false,
    refusal: { status: 422, code, details: { reply: reply instanceof RegExp ? expect.stringMatching(reply) : reply } },
  });
  const cases: [string, SinkOptions, Partial<SmtpOptions>, object][] = [
    ["a plain relay on this machine", {}, {}, ready("no")],
    ["STARTTLS on this machine, self-signed", { tls: "starttls" }, { requireTls: true }, ready("yes")],
    ["TLS at once on this machine", { tls: "implicit" }, { secure: true }, ready("yes")],
    ["the right password", { auth }, auth, ready("no", "yes")],
    ["a wrong password", { auth }, { ...auth, password: "guess" }, refused("relay_login_refused", /^535 5\.7\.8/)],
    ["no log-in offered", {}, auth, refused("relay_login_impossible", { key: "outcome.auth_not_offered", values: {} })],
    ["no STARTTLS where it is required", {}, { requireTls: true }, refused("relay_without_starttls", /./)],
    [
      "a self-signed certificate of a distant relay",
      { tls: "starttls" },
      { host: distant, requireTls: true },
      refused("relay_tls_failed", /self[- ]signed certificate/),
    ],
    [
      "the same with TLS at once",
      { tls: "implicit" },
      { host: distant, secure: true, requireTls: true },
      refused("relay_tls_failed", /self[- ]signed certificate/),
    ],
    [
      "a password in clear text to a distant relay",
      { auth },
      { ...auth, host: distant },
      refused("relay_login_impossible", { key: "outcome.not_encrypted", values: {} }),
    ],
  ];
  test.each(cases)("%s", async (_, sinkOptions, options, expected) => {
    const sink = await sinkOf(sinkOptions);
    const transport = transportTo(sink.port, options);
    const result = await transport.check();
    expect(result).toMatchObject(expected);
    expect(await transport.send(mail())).toMatchObject(
      result.ok ? { kind: "sent" } : { kind: "deferred", scope: "relay" },
    );
    expect(sink.count()).toBe(result.ok ? 1 : 0);
  });

  test("a relay that is not there", async () => {
    const gone = await startSink();
    await gone.close();
    const result = await transportTo(gone.port).check();
    expect(result).toMatchObject({ ok: false, refusal: { status: 422, code: "relay_unreachable" } });
  });
});
