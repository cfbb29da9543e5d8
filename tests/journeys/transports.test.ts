import { generateKeyPairSync } from "node:crypto";
import { chmodSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { sendNow } from "../../src/editions/send-now.ts";
import { getEdition } from "../../src/editions/store.ts";
import { editionStatus } from "../../src/alerts/status.ts";
import { packageRoot } from "../../src/package-root.ts";
import { findByAddress } from "../../src/subscribers/store.ts";
import { startWorker, type RunningWorker } from "../../src/worker.ts";
import { movedClock } from "../support/clock.ts";
import { addAllNewsReaders, addArticle } from "../support/readers.ts";
import { startSink, type Sink, type SinkOptions } from "../support/sink.ts";
import { eventually, openWorld, type World } from "../support/world.ts";

/** One way to send: its settings, and what has arrived. */
interface Way {
  env(folder: string, sink: Sink): Record<string, string>;
  arrived(folder: string, sink: Sink): { to: string; raw: string }[];
  /** Takes the way away, and puts it back. */
  breakDown(folder: string, sink: Sink): Promise<void>;
  repair(folder: string, sink: Sink): Promise<Sink | void>;
}

const overSmtp: Omit<Way, "env"> = {
  arrived: (_folder, sink) => sink.messages.map(({ to, raw }) => ({ to, raw: raw.toString("latin1") })),
  breakDown: (_folder, sink) => sink.close(),
  repair: (_folder, { port }) => startSink({ ...replies, port }),
};

const replies: SinkOptions = {
  onRcpt: (to) => (to.startsWith("gone") ? "550 5.1.1 no such user" : null),
  onData: (to) => (to.startsWith("lost") ? "drop" : null),
};

function moduleIn(folder: string, source: string): Record<string, string> {
  const file = join(folder, "transport.mjs");
  writeFileSync(file, source);
  return { MAIL_TRANSPORT: file };
}

/** A sendmail that keeps messages as files, knows nobody called "gone", and dies with those for "lost". */
const sendmail = (folder: string): string => `#!${process.execPath}
const { readFileSync, writeFileSync } = require("node:fs");
const to = process.argv.at(-1);
const message = readFileSync(0);
if (to.startsWith("gone")) process.exit(67);
if (to.startsWith("lost")) process.kill(process.pid, "SIGKILL");
writeFileSync(${JSON.stringify(folder)} + "/" + Date.now() + "-" + process.pid + ".mail", to + "\\n" + message.toString("latin1"), "latin1");
`;
const program = (folder: string): string => join(folder, "sendmail.cjs");

const ours = pathToFileURL(join(packageRoot, "dist/src/mail/nodemailer-transport.js")).href;
const relay = (port: number): string =>
  JSON.stringify({ host: "127.0.0.1", port, secure: false, requireTls: false, user: null, password: null });

const ways: [string, Way][] = [
  ["our own connections", { ...overSmtp, env: (_folder, sink) => ({ SMTP_URL: sink.url }) }],
  [
    "our own connections as a Nodemailer transport",
    {
      ...overSmtp,
      env: (folder, { port }) =>
        moduleIn(
          folder,
          `import { smtpTransport } from ${JSON.stringify(ours)}; export default smtpTransport(${relay(port)});`,
        ),
    },
  ],
  [
    "Nodemailer's pool",
    {
      ...overSmtp,
      env: (folder, { port }) =>
        moduleIn(folder, `export default { pool: true, host: "127.0.0.1", port: ${port}, ignoreTLS: true };`),
    },
  ],
  [
    "Nodemailer's sendmail",
    {
      env(folder) {
        writeFileSync(program(folder), sendmail(folder));
        chmodSync(program(folder), 0o755);
        return moduleIn(
          folder,
          `export default async () => ({ sendmail: true, path: ${JSON.stringify(program(folder))} });`,
        );
      },
      arrived: (folder) =>
        readdirSync(folder)
          .filter((name) => name.endsWith(".mail"))
          .map((name) => readFileSync(join(folder, name), "latin1"))
          .map((text) => ({ to: text.slice(0, text.indexOf("\n")), raw: text.slice(text.indexOf("\n") + 1) })),
      async breakDown(folder) {
        rmSync(program(folder));
      },
      async repair(folder) {
        writeFileSync(program(folder), sendmail(folder));
        chmodSync(program(folder), 0o755);
      },
    },
  ],
];

describe.each(ways)("sent through %s", (_name, way) => {
  let folder: string;
  let sink: Sink;
  let world: World;
  let worker: RunningWorker;
  const clock = movedClock("2026-11-24T07:00:00Z");
  const edition = () => getEdition(world.app.db, "2026-11-24");
  const sums = async () => (await editionStatus(world.app.db, await edition())).balance;

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), "dayletter-transport-"));
    sink = await startSink(replies);
    const key = join(folder, "key.pem");
    writeFileSync(key, String(generateKeyPairSync("ed25519").privateKey.export({ type: "pkcs8", format: "pem" })));
    world = await openWorld({
      clock,
      env: {
        ...way.env(folder, sink),
        DKIM_DOMAIN: "news.example.com",
        DKIM_SELECTOR: "e1",
        DKIM_KEY_FILE: key,
        SMTP_CONNECTIONS: "3",
        MAIL_FROM: "News <alerts@news.example.com>",
        PUBLIC_URL: "https://news.example.com",
        POSTAL_ADDRESS: "Example Street 1",
      },
    });
    worker = await startWorker(world.app);
  });
  afterEach(async () => {
    await worker.stop();
    await world.close();
    await sink.close();
    rmSync(folder, { recursive: true });
  });

  test("each email is settled as what has become of it", async () => {
    const here = Array.from({ length: 12 }, (_, i) => `reader${i}@example.org`);
    await addAllNewsReaders(world.app, [...here, "gone@example.org", "lost@example.org"]);
    await addArticle(world.app, "News");
    await sendNow(world.app, { extra: false, actor: "test" });
    await eventually("all are settled", async () => {
      const { pending, sending, deferred } = await sums();
      return pending + sending + deferred === 0;
    });
    expect(await sums()).toMatchObject({ sent: 12, rejected: 1, unknown: 1 });
    const arrived = way.arrived(folder, sink);
    expect(arrived.map(({ to }) => to).toSorted()).toEqual(here.toSorted());
    for (const { to, raw } of arrived) {
      expect(raw.startsWith("DKIM-Signature: v=1; a=ed25519-sha256;")).toBe(true);
      expect(raw).toContain(`\r\nTo: ${to}\r\n`);
    }
    expect(await findByAddress(world.app.db, "gone@example.org")).toMatchObject({ status: "suppressed" });
  });

  test("while it does not work, emails wait, and then each is sent once", async () => {
    await way.breakDown(folder, sink);
    await addAllNewsReaders(world.app, ["a@example.org", "b@example.org"]);
    await addArticle(world.app, "News");
    expect(existsSync(folder)).toBe(true);
    await sendNow(world.app, { extra: false, actor: "test" });
    await eventually("it was tried", async () => (await sums()).deferred > 0);
    expect(await sums()).toMatchObject({ sent: 0, unknown: 0, rejected: 0 });
    const back = await way.repair(folder, sink);
    await eventually("everyone was tried", async () => {
      const { pending, sending } = await sums();
      return pending + sending === 0;
    });
    clock.advance(40 * 60_000);
    await world.app.wake("recover", {});
    await eventually("all are sent", async () => (await sums()).sent === 2);
    expect(way.arrived(folder, back ?? sink)).toHaveLength(2);
    await back?.close();
  });
});
