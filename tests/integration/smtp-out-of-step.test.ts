import { once } from "node:events";
import { createServer, type AddressInfo, type Server } from "node:net";
import { createInterface } from "node:readline";
import { afterEach, expect, test } from "vitest";
import type { Verdict } from "../../src/mail/verdict.ts";
import { closeSmtp, mail, sinkOf, transportTo } from "../support/smtp.ts";

interface Answers {
  data: string;
  dot: string;
}

let relay: Server | null = null;
afterEach(async () => {
  await closeSmtp();
  relay?.close();
});

/** A relay that gives the n-th mail the n-th answers, right or not, and then as many as it likes. */
async function relayThatSays(answers: Partial<Answers>[]): Promise<number> {
  let mails = 0;
  relay = createServer((socket) => {
    const say = (reply: string) => socket.writable && socket.write(`${reply}\r\n`);
    let inBody = false;
    socket.on("error", () => {});
    say("220 relay");
    createInterface({ input: socket }).on("line", (line) => {
      if (inBody && line === ".") {
        inBody = false;
        say(answers[mails - 1]?.dot ?? "250 2.0.0 kept");
      } else if (inBody) return;
      else if (line === "DATA") {
        inBody = true;
        say(answers[mails++]?.data ?? "354 go on");
      } else say("250 fine");
    });
  }).listen(0, "127.0.0.1");
  await once(relay, "listening");
  return (relay.address() as AddressInfo).port;
}

async function verdictsOf(port: number, mails: number): Promise<Verdict[]> {
  const transport = transportTo(port, { connections: 1 });
  const verdicts: Verdict[] = [];
  for (let i = 0; i < mails; i += 1) verdicts.push(await transport.send(mail(`r${i}@example.com`)));
  return verdicts;
}

const gone = "550 5.1.1 no such user";

test("a relay that answers one mail twice gives the next one no wrong answer", async () => {
  const port = await relayThatSays([{ dot: "250 2.0.0 kept\r\n250 2.0.0 kept" }, { dot: gone }, {}]);
  const verdicts = await verdictsOf(port, 3);
  expect(verdicts.map(({ kind }) => kind)).toEqual(["sent", "rejected", "sent"]);
});

test("a relay that refuses one mail twice, in its body and after it, does not refuse the next one by that", async () => {
  const port = await relayThatSays([{ data: `354 go on\r\n${gone}`, dot: gone }, {}, {}]);
  const verdicts = await verdictsOf(port, 3);
  expect(verdicts.map(({ kind }) => kind)).toEqual(["rejected", "sent", "sent"]);
});

test("a relay that says 250 where 354 is meant gets its mails all the same", async () => {
  const always = { data: "250 go on" };
  const verdicts = await verdictsOf(await relayThatSays([always, always, always]), 3);
  expect(verdicts.map(({ kind }) => kind)).toEqual(["sent", "sent", "sent"]);
});

test("a relay that takes so many recipients of a connection gets the others on the next", async () => {
  let taken = 0;
  const sink = await sinkOf({
    onConnect: () => ((taken = 0), null),
    onRcpt: () => ((taken += 1) > 3 ? "452 4.5.3 too many recipients" : null),
  });
  const verdicts = await verdictsOf(sink.port, 8);
  expect(verdicts.filter(({ kind }) => kind === "sent")).toHaveLength(8);
  expect(sink.connections()).toBe(3);
});
