import { expect, test } from "vitest";
import { createMessageRoom } from "../../../src/mail/message-room.ts";

const filled = (message: Buffer, byte: number): Buffer => message.fill(byte);

test("memory is used again only after it was given back, and only once", () => {
  const room = createMessageRoom(2);
  const [first, second] = [filled(room.take(30_000), 1), filled(room.take(30_000), 2)];
  expect(first.buffer).not.toBe(second.buffer);
  room.giveBack(first);
  room.giveBack(first);
  const [third, fourth] = [filled(room.take(20_000), 3), filled(room.take(20_000), 4)];
  expect(third.buffer).toBe(first.buffer);
  expect([second.at(0), third.at(0), fourth.at(0)]).toEqual([2, 3, 4]);
  expect([second.length, third.length]).toEqual([30_000, 20_000]);
});

test("a message that is too large for what is free gets memory of its own", () => {
  const room = createMessageRoom(2);
  const small = room.take(10);
  room.giveBack(small);
  expect(room.take(100_000)).toHaveLength(100_000);
});

test("no more is kept than asked, and what came from elsewhere not at all", () => {
  const room = createMessageRoom(1);
  const messages = [room.take(1), room.take(1)];
  for (const message of [...messages, Buffer.alloc(9)]) room.giveBack(message);
  const again = [room.take(1), room.take(1)];
  expect(again.filter(({ buffer }) => messages.some((one) => one.buffer === buffer))).toHaveLength(1);
});
