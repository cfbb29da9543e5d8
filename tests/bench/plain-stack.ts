/**
 * What the product is compared with, as people write it: one BullMQ job for each reader on Redis, HTML that is rendered once
 * and gets the reader's link, and Nodemailer's connection pool. Each line on its standard input is an order, and is answered
 * with a line. It is faster than most: it keeps no record of what was sent, and its connections are never replaced.
 */
import { createInterface } from "node:readline";
import { Queue, Worker } from "bullmq";
import { Redis } from "ioredis";
import mjml2html from "mjml";
import { createTransport } from "nodemailer";
import { linkPlace, type PlainOrder, type PlainSetup } from "./plain.ts";

async function main(setup: PlainSetup): Promise<void> {
  const connection = new Redis(setup.redisUrl, { maxRetriesPerRequest: null });
  const queue = new Queue("plain", { connection });
  const open = (dkim: boolean) =>
    createTransport({
      pool: true,
      host: "127.0.0.1",
      port: setup.port,
      maxConnections: setup.connections,
      maxMessages: Infinity,
      ...(dkim ? { dkim: { domainName: "example.com", keySelector: "plain", privateKey: setup.privateKey } } : {}),
    });
  const transports = { plain: open(false), signed: open(true) };
  let left = 0;
  let finished: () => void = () => undefined;

  const worker = new Worker<PlainOrder & { reader: number }>(
    "plain",
    async ({ data }) => {
      const link = `https://alerts.example/unsubscribe/${data.reader}-0123456789abcdef0123456789abcdef`;
      const html = data.mjml
        ? (await mjml2html(setup.mjml.replaceAll(linkPlace, link))).html
        : setup.html.replaceAll(linkPlace, link);
      await transports[data.dkim ? "signed" : "plain"].sendMail({
        from: "Telecom Daily <alerts@example.com>",
        to: `reader${data.reader}@example.org`,
        subject: "Regulator decides about the shared use of frequencies",
        html,
        text: setup.text.replaceAll(linkPlace, link),
        list: { unsubscribe: link },
      });
    },
    { connection: connection.duplicate(), concurrency: setup.connections },
  );
  const done = (): void => {
    left -= 1;
    if (left === 0) finished();
  };
  worker.on("completed", done);
  worker.on("failed", (_job, error) => {
    process.stderr.write(`${error.message}\n`);
    process.exit(1);
  });
  await worker.waitUntilReady();
  process.stdout.write("ready\n");

  for await (const line of createInterface({ input: process.stdin })) {
    const order = JSON.parse(line) as PlainOrder;
    left = order.messages;
    const over = new Promise<void>((resolve) => (finished = resolve));
    const begun = performance.now();
    for (let first = 0; first < order.messages; first += 1_000) {
      const count = Math.min(1_000, order.messages - first);
      await queue.addBulk(
        Array.from({ length: count }, (_, n) => ({
          name: "send",
          data: { ...order, reader: first + n },
          opts: { removeOnComplete: true, attempts: 3 },
        })),
      );
    }
    await over;
    process.stdout.write(`${performance.now() - begun}\n`);
  }
  await worker.close(true);
  process.exit(0);
}

await main(JSON.parse(process.argv[2] ?? "") as PlainSetup);
