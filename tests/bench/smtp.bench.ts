import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createTransport } from "nodemailer";
import { afterAll, beforeAll, bench, describe } from "vitest";
import { systemClock } from "../../src/base/clock.ts";
import { silentLog } from "../../src/base/log.ts";
import { createSmtpTransport, type Mail, type Transport } from "../../src/mail/transport.ts";
import { startSinkProcess, type SinkProcess } from "../support/sink.ts";

const connections = 10;
const mailsARound = 300;
const text = "The quick brown fox jumps over the lazy dog, and so on to the end of it.\r\n".repeat(400);

const mails: Mail[] = Array.from({ length: mailsARound }, (_, i) => ({
  from: "alerts@example.org",
  to: `reader${i}@example.com`,
  message: Buffer.from(`Subject: News\r\nMessage-ID: <${i}@example.org>\r\n\r\n${text}`),
}));

/** The first rounds warm up both ends. */
const options = { time: 3_000, warmupTime: 2_000 };

let folder: string;
let sink: SinkProcess;
let lanes: Transport;
let pool: ReturnType<typeof poolTo>;

function poolTo(port: number) {
  return createTransport({ pool: true, host: "127.0.0.1", port, maxConnections: connections, maxMessages: Infinity });
}

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "dayletter-bench-"));
  sink = await startSinkProcess({ logFile: join(folder, "accepted") });
  const relay = { host: "127.0.0.1", port: sink.port, secure: false, requireTls: false, user: null, password: null };
  lanes = createSmtpTransport({ clock: systemClock, log: silentLog }, { ...relay, connections, rate: null });
  pool = poolTo(sink.port);
});

afterAll(async () => {
  await lanes.close(0);
  pool.close();
  await sink.kill();
  rmSync(folder, { recursive: true });
});

/** One round is 300 mails of 30 kB on ten connections, to a sink in a process of its own. */
describe("a round of 300 mails", () => {
  bench(
    "through our own lanes",
    async () => {
      await Promise.all(mails.map((mail) => lanes.send(mail)));
    },
    options,
  );

  bench(
    "through Nodemailer's pool, raw",
    async () => {
      await Promise.all(mails.map(({ from, to, message }) => pool.sendMail({ envelope: { from, to }, raw: message })));
    },
    options,
  );

  bench(
    "through Nodemailer's pool, composed",
    async () => {
      await Promise.all(mails.map(({ from, to }) => pool.sendMail({ from, to, subject: "News", text, html: text })));
    },
    options,
  );
});
