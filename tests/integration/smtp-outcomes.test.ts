import { once } from "node:events";
import { createServer, type AddressInfo } from "node:net";
import { afterEach, describe, expect, test } from "vitest";
import type { SinkOptions } from "../support/sink.ts";
import { closeSmtp, mail, sinkOf, transportTo } from "../support/smtp.ts";

afterEach(closeSmtp);

const outcomes: [string, SinkOptions, object][] = [
  ["taken", {}, { kind: "sent", reply: "250 2.0.0 kept" }],
  ["taken without pipelining", { server: { hidePIPELINING: true } }, { kind: "sent" }],
  [
    "no such mailbox, without pipelining",
    { server: { hidePIPELINING: true }, onRcpt: () => "550 5.1.1 no such user" },
    { kind: "rejected", scope: "address" },
  ],
  ["greylisted", { onRcpt: () => "450 4.7.1 come back later" }, { kind: "deferred", scope: "address" }],
  [
    "no such mailbox",
    { onRcpt: () => "550 5.1.1 no such user" },
    { kind: "rejected", scope: "address", reply: "550 5.1.1 no such user" },
  ],
  [
    "no such mailbox, with a NUL",
    { onRcpt: () => "550 5.1.1 no\0such user" },
    { kind: "rejected", scope: "address", reply: "550 5.1.1 no such user" },
  ],
  ["refused for policy", { onRcpt: () => "550 5.7.1 not from you" }, { kind: "rejected", scope: "policy" }],
  ["content refused", { onData: () => "554 5.7.1 looks like spam" }, { kind: "rejected", scope: "policy" }],
  ["too big", { onData: () => "552 5.3.4 too big" }, { kind: "rejected", scope: "message" }],
  ["larger than SIZE allows", { server: { size: 20 } }, { kind: "rejected", scope: "message" }],
  ["deferred after the dot", { onData: () => "451 4.2.0 try later" }, { kind: "deferred", scope: "address" }],
  ["sender refused", { onMail: () => "553 5.1.8 who are you" }, { kind: "rejected", scope: "policy" }],
  ["closing at the greeting", { onConnect: () => "421 4.3.2 closing" }, { kind: "deferred", scope: "relay" }],
  ["closing in mid-session", { onRcpt: () => "421 4.3.2 closing" }, { kind: "deferred", scope: "relay" }],
  ["too fast", { onData: () => "421 4.7.28 slow down" }, { kind: "deferred", scope: "provider", quietMs: 600_000 }],
  [
    "too fast for the relay",
    { onMail: () => "421 4.7.28 slow down" },
    { kind: "deferred", scope: "relay", quietMs: expect.closeTo(600_000, -4) },
  ],
  ["cut before DATA", { onRcpt: () => "drop" }, { kind: "deferred", scope: "relay" }],
  ["cut after the dot", { onData: () => "drop" }, { kind: "unknown" }],
];

test.each(outcomes)("a mail that is %s", async (_, options, expected) => {
  const sink = await sinkOf(options);
  expect(await transportTo(sink.port).send(mail())).toMatchObject(expected);
  expect(sink.count()).toBe("kind" in expected && expected.kind === "sent" ? 1 : 0);
});

describe("silence", () => {
  test("before DATA is deferred, after the dot is unknown", async () => {
    const timeouts = { envelope: 150, final: 300 };
    const early = transportTo((await sinkOf({ onRcpt: () => "hang" })).port, { timeouts });
    expect(await early.send(mail())).toMatchObject({
      kind: "deferred",
      scope: "relay",
      reply: null,
      code: "timeout",
    });
    const late = transportTo((await sinkOf({ onData: () => "hang" })).port, { timeouts });
    const began = performance.now();
    expect(await late.send(mail())).toMatchObject({ kind: "unknown" });
    expect(performance.now() - began).toBeGreaterThan(290);
  });

  test("in the middle of the body is deferred: the dot never left", async () => {
    // Takes the command for data, then reads nothing more.
    const relay = createServer((socket) => {
      socket.on("error", () => {});
      socket.write("220 relay\r\n");
      socket.on("data", (chunk) => {
        const text = chunk.toString();
        if (text.startsWith("DATA")) {
          socket.pause();
          socket.write("354 go on\r\n");
        } else socket.write("250 fine\r\n");
      });
    }).listen(0, "127.0.0.1");
    await once(relay, "listening");
    const transport = transportTo((relay.address() as AddressInfo).port, { timeouts: { envelope: 400, final: 5_000 } });
    const big = mail("reader@example.com", "x\r\n".repeat(5_000_000));
    expect(await transport.send(big)).toMatchObject({ kind: "deferred", scope: "relay" });
    relay.close();
  });
});

test.each([
  ["CR LF in the recipient", { to: "a@example.com>\r\nRCPT TO:<b@example.com" }],
  ["a space in the sender", { from: "al erts@example.org" }],
  ["no recipient", { to: "" }],
  ["255 octets", { to: `${"a".repeat(64)}@${"b".repeat(186)}.org` }],
])("an envelope with %s is refused before the relay is asked", async (_, fields) => {
  const sink = await sinkOf();
  const verdict = await transportTo(sink.port).send({ ...mail(), ...fields });
  expect(verdict).toMatchObject({ kind: "rejected", scope: "message" });
  expect(sink.connections()).toBe(0);
});

test("an address beyond ASCII goes to a relay with SMTPUTF8 and to no other", async () => {
  const able = await sinkOf();
  expect(await transportTo(able.port).send(mail("독자@example.com"))).toMatchObject({ kind: "sent" });
  expect(able.messages[0]?.to).toBe("독자@example.com");
  const unable = await sinkOf({ server: { hideSMTPUTF8: true } });
  expect(await transportTo(unable.port).send(mail("독자@example.com"))).toMatchObject({
    kind: "rejected",
    scope: "message",
  });
  expect(unable.count()).toBe(0);
});

test("dots at line starts, binary octets and long lines arrive byte for byte", async () => {
  const sink = await sinkOf();
  const lines = ["Subject: dots", "", ".", "..", ".leading", "한국 LG U+", "x".repeat(5_000), "\0\u0001", ".", ""];
  const message = Buffer.from(lines.join("\r\n"));
  await transportTo(sink.port).send({ ...mail(), message });
  expect(sink.messages[0]?.raw.equals(message)).toBe(true);
});
