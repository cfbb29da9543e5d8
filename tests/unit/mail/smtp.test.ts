import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { systemClock } from "../../../src/base/clock.ts";
import { silentLog, type Log } from "../../../src/base/log.ts";
import { limited } from "../../../src/mail/smtp.ts";
import type { Carrier, Delivered, Mail } from "../../../src/mail/transport.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const mail: Mail = { from: "alerts@example.com", to: "ada@example.org", message: Buffer.from("") };
const refused: Delivered = { verdict: { kind: "deferred", scope: "relay", reply: "421 4.3.2 closing" } };
const accepted: Delivered = { verdict: { kind: "sent", reply: "250 2.0.0 ok" } };

function open(connections: number, deliver: Carrier["deliver"]) {
  const logged: string[] = [];
  const note = (_fields: object, text: string): void => void logged.push(text);
  const log: Log = { ...silentLog, info: note, warn: note };
  const returned = vi.fn();
  const carrier: Carrier = {
    name: "relay",
    deliver,
    check: () => Promise.reject(new Error("not checked here")),
    open: () => 0,
    close: async () => undefined,
  };
  const transport = limited({ clock: systemClock, log, returned }, carrier, { connections, rate: null });
  return { transport, logged, returned };
}

test.each([1, 2, 4])("a relay that works again is noted once with %i connections", async (connections) => {
  const answers = [refused];
  const { transport, logged, returned } = open(connections, async () => answers.shift() ?? accepted);
  const send = async (): Promise<void> => {
    const sending = transport.send(mail);
    await vi.advanceTimersByTimeAsync(2_500);
    await sending;
  };
  await send();
  expect([logged.length, returned.mock.calls.length]).toEqual([1, 0]);
  for (let i = 0; i < 5; i += 1) await send();
  expect([logged.length, returned.mock.calls.length]).toEqual([2, 1]);
  await transport.close(0);
});

test("messages that fail together are one failure of the relay", async () => {
  // The times of the real clock have fractions.
  vi.useRealTimers();
  const { transport, logged } = open(3, async () => {
    await new Promise((resolve) => void setTimeout(resolve, 1));
    return refused;
  });
  await Promise.all(Array.from({ length: 3 }, () => transport.send(mail)));
  expect(logged).toHaveLength(1);
  await transport.close(0);
});
