import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { ImapFlow } from "imapflow";
import nodemailer from "nodemailer";
import { sql } from "kysely";
import type { Log } from "../../src/base/log.ts";
import { parseImap } from "../../src/config/mail.ts";
import { sendNow } from "../../src/editions/send-now.ts";
import { returnPath, unsubscribeMailto } from "../../src/mail/return-path.ts";
import { readBounceMailbox } from "../../src/outcomes/mailbox.ts";
import { findByAddress } from "../../src/subscribers/store.ts";
import { dovecotPassword, startDovecot, type Dovecot } from "../support/dovecot.ts";
import { closedAfterEach } from "../support/closing.ts";
import { addAllNewsReaders, addArticle } from "../support/readers.ts";
import { freshDatabase } from "../support/services.ts";
import { eventually, openWorld, type World } from "../support/world.ts";

const bounceAddress = "bounce@news.example.com";
const closing = closedAfterEach();
let dovecot: Dovecot;
let database: Awaited<ReturnType<typeof freshDatabase>>;
let world: World;
/** Two workers: each has its own connections to the database. */
let other: World;
let paths: string[];
let users = 0;
let user: string;

beforeAll(async () => {
  [dovecot, database] = await Promise.all([startDovecot(), freshDatabase()]);
  const env = { DATABASE_URL: database.url, BOUNCE_ADDRESS: bounceAddress };
  world = await openWorld({ env });
  other = await openWorld({ env });
  const { app } = world;
  await addAllNewsReaders(
    app,
    Array.from({ length: 200 }, (_, i) => `r${i}@example.org`),
  );
  await addArticle(app, "News");
  const { id: editionId } = await sendNow(app, { extra: false, actor: "test" });
  await sql`update deliveries set state = 'sent', attempts = 1, reply = '250 ok', settled_at = ${app.clock.now()}, due_at = null`.execute(
    app.db,
  );
  const { rows } = await sql<{ id: number; address: string }>`
    select d.id, s.address from deliveries d join subscribers s on s.id = d.subscriber_id order by s.id`.execute(
    app.db,
  );
  const options = { secret: app.options.secret, bounceAddress };
  paths = rows.map(({ id, address }) => returnPath(options, { kind: "delivery", editionId, id }, address));
});
afterAll(async () => {
  await other?.close();
  await world?.close();
  await Promise.all([dovecot?.stop(), database?.drop()]);
});
beforeEach(() => {
  user = `bounces${(users += 1)}`;
});

interface Line {
  level: string;
  message: string;
  data: Record<string, unknown>;
}

/** A worker's reader of this test's mailbox, and what it has logged. */
function begin({ app }: World = world, url = dovecot.url(user)): { lines: Line[]; close(): Promise<void> } {
  const lines: Line[] = [];
  const level = (name: string) => (data: object, message: string) =>
    void lines.push({ level: name, message, data: data as Record<string, unknown> });
  const log = Object.fromEntries(["debug", "info", "warn", "error"].map((name) => [name, level(name)]));
  const mailbox = parseImap(url);
  const reader = readBounceMailbox({ ...app, log: log as unknown as Log }, { mailbox, bounceAddress });
  closing.push(() => reader.close());
  return { lines, close: () => reader.close() };
}

/** What the mail server does that has the mailbox. */
async function deliver(raw: string, to = `${user}@mail.example.com`, from = ""): Promise<void> {
  const transport = nodemailer.createTransport({ host: "127.0.0.1", port: dovecot.lmtp, lmtp: true, ignoreTLS: true });
  try {
    await transport.sendMail({ envelope: { from, to }, raw });
  } finally {
    transport.close();
  }
}

/** What is in a folder of the mailbox. */
async function inside(folder: string): Promise<{ subject: string; flags: string[] }[]> {
  const { port } = parseImap(dovecot.url(user));
  const auth = { user, pass: dovecotPassword };
  const client = new ImapFlow({ host: "127.0.0.1", port, secure: false, doSTARTTLS: false, auth, logger: false });
  await client.connect();
  try {
    await client.mailboxOpen(folder, { readOnly: true });
    const all = await client.fetchAll("1:*", { envelope: true, flags: true });
    return all.map(({ envelope, flags }) => ({
      subject: envelope?.subject ?? "",
      flags: [...flags!].filter((flag) => flag !== "\\Recent"),
    }));
  } finally {
    await client.logout();
  }
}

const filed = async () => (await inside("Dayletter").catch(() => [])).map(({ subject }) => subject).toSorted();

/** A bounce in the form of RFC 3464. @param fields of its header @param original of the returned email's */
const bounce = (fields: string[], original: string[] = [], more = ""): string =>
  [
    "From: MAILER-DAEMON@mx.example.org",
    ...fields,
    "Content-Type: multipart/report; report-type=delivery-status; boundary=b",
    "",
    "--b",
    "Content-Type: message/delivery-status",
    "",
    "Reporting-MTA: dns; mx.example.org",
    "",
    "Final-Recipient: rfc822; somebody-else@example.org",
    "Action: failed",
    "Status: 5.1.1",
    "",
    "--b",
    "Content-Type: message/rfc822",
    "",
    ...original,
    "Subject: News",
    "",
    more,
    "--b--",
  ].join("\r\n");
const complaint = (path: string): string =>
  [
    "Subject: complaint",
    "Content-Type: multipart/report; report-type=feedback-report; boundary=b",
    "",
    "--b",
    "Content-Type: message/feedback-report",
    "",
    "Feedback-Type: abuse",
    `Original-Mail-From: <${path}>`,
    "",
    "--b--",
  ].join("\r\n");

const statusOf = async (n: number) => (await findByAddress(world.app.db, `r${n}@example.org`))!.status;
const outcomes = async () => {
  const { rows } = await sql<{ source: string; outcome: string }>`
    select s.address, o.outcome, o.kind, o.source from delivery_outcomes o
    join deliveries d on d.edition_id = o.edition_id and d.id = o.delivery_id
    join subscribers s on s.id = d.subscriber_id order by s.id`.execute(world.app.db);
  return rows;
};

test("bounces of a mailbox are recorded and moved away, and everything else stays there unread", async () => {
  await deliver(bounce(["Subject: delivered", `Delivered-To: ${paths[0]!.toUpperCase()}`]));
  await deliver(bounce(["Subject: forwarded", `X-Original-To: <${paths[1]}>`]));
  await deliver(bounce(["Subject: returned"], [`Return-Path: <${paths[2]}>`]));
  await deliver(complaint(paths[3]!));
  await deliver(bounce(["Subject: large", `To: ${paths[4]}`], [], "x\r\n".repeat(700_000)));
  await deliver(`Subject: absence\r\nAuto-Submitted: auto-replied\r\nTo: ${paths[5]}\r\n\r\nI am away.\r\n`);
  const { key } = (await findByAddress(world.app.db, "r8@example.org"))!;
  const mailto = unsubscribeMailto({ secret: world.app.options.secret, bounceAddress }, key);
  const [, unsubscribe] = /^mailto:([^?]+)/.exec(mailto)!;
  const request = `Subject: unsubscribe\r\nTo: <${decodeURIComponent(unsubscribe!)}>\r\n\r\n`;
  await deliver(request, undefined, "r8@example.org");
  const wrongToken = `bounce+${"a".repeat(40)}@news.example.com`;
  await deliver(bounce(["Subject: forged", `To: ${wrongToken}`], [`Return-Path: <${wrongToken}>`]));
  await deliver(`Subject: question\r\nTo: ${paths[6]}\r\n\r\nDo you also print?\r\n`);
  const { lines } = begin();
  const known = ["absence", "complaint", "delivered", "forwarded", "large", "returned", "unsubscribe"];
  await eventually("what is known is moved", async () => (await filed()).length === known.length);
  expect(await filed()).toEqual(known);
  expect((await inside("Dayletter")).every(({ flags }) => flags.includes("\\Seen"))).toBe(true);
  await eventually("what is left is marked", async () =>
    (await inside("INBOX")).every(({ flags }) => flags.includes("Dayletter")),
  );
  expect(await inside("INBOX")).toEqual([
    { subject: "forged", flags: ["Dayletter"] },
    { subject: "question", flags: ["Dayletter"] },
  ]);
  const hard = (n: number) => ({ address: `r${n}@example.org`, outcome: "bounced", kind: "hard", source: "imap" });
  const complained = { address: "r3@example.org", outcome: "complained", kind: null, source: "imap" };
  expect(await outcomes()).toEqual([hard(0), hard(1), hard(2), complained, hard(4)]);
  expect(await statusOf(8)).toBe("unsubscribed");

  // One that arrives later is read at once. What was left is not read again.
  await deliver(bounce(["Subject: later"]), paths[7]!.replace("bounce+", `${user}+`));
  await deliver(bounce(["Subject: later", `To: ${paths[7]}`]));
  await eventually("it is recorded", async () => (await statusOf(7)) === "suppressed");
  const left = lines.filter(({ message }) => message.includes("not about emails of this publication"));
  await eventually("it is marked", async () => (await inside("INBOX")).length === 3);
  expect(left.reduce((sum, { data }) => sum + Number(data["messages"]), 0)).toBeLessThanOrEqual(3);
  expect(JSON.stringify(lines)).not.toContain(dovecotPassword);
});

test("a bounce that could not be recorded stays unread and is read again", async () => {
  const { app } = world;
  let failing = true;
  const db: typeof app.db = new Proxy(app.db, {
    get: (target, name) => {
      if (failing && name === "transaction") throw new Error("away");
      const value: unknown = Reflect.get(target, name);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
  for (const n of [10, 11, 12, 13, 14]) await deliver(bounce([`Subject: ${n}`, `To: ${paths[n]}`]));
  const { lines } = begin({ ...world, app: { ...app, db } });
  await eventually("it has failed", async () => lines.some(({ level }) => level === "error"));
  expect((await inside("INBOX")).map(({ flags }) => flags)).toEqual([[], [], [], [], []]);
  failing = false;
  await eventually("all are moved", async () => (await filed()).length === 5);
  expect(await Promise.all([10, 11, 12, 13, 14].map(statusOf))).toEqual(Array(5).fill("suppressed"));
});

test("one of two workers reads the mailbox, and the other takes over", async () => {
  const first = begin();
  await eventually("the first reads", async () => first.lines.length > 0);
  const second = begin(other);
  await deliver(bounce(["Subject: one", `To: ${paths[20]}`]));
  await eventually("it is recorded", async () => (await statusOf(20)) === "suppressed");
  expect(second.lines).toEqual([]);
  await first.close();
  await deliver(bounce(["Subject: two", `To: ${paths[21]}`]));
  await eventually("it is recorded", async () => (await statusOf(21)) === "suppressed");
  expect(second.lines.map(({ level }) => level)).not.toContain("warn");
});

test("a worker that loses its lock stops reading", async () => {
  const hold = (await world.app.database.hold("test"))!;
  expect(await other.app.database.hold("test")).toBeNull();
  await sql`select pg_terminate_backend(pid) from pg_locks where locktype = 'advisory'
    and objid = (hashtext('dayletter:test')::bigint & 4294967295)::oid`.execute(world.app.db);
  await eventually("it is lost", async () => hold.lost.aborted);
  await hold.release();
  const next = (await other.app.database.hold("test"))!;
  expect(next).not.toBeNull();
  await next.release();
});

test("a server that restarts is connected again, and one that refuses the login is named without the password", async () => {
  const wrong = begin(world, dovecot.url(user).replace(/:[^:@]*@/, ":hunter2@"));
  await eventually("it is refused", async () => wrong.lines.length > 0);
  await wrong.close();
  expect(wrong.lines[0]).toMatchObject({ level: "warn", data: { host: "127.0.0.1" } });
  expect(JSON.stringify(wrong.lines)).not.toContain("hunter2");

  const { lines } = begin();
  await eventually("it reads", async () => lines.length > 0);
  await dovecot.restart();
  await deliver(bounce(["Subject: after", `To: ${paths[30]}`]));
  await eventually("it is recorded", async () => (await statusOf(30)) === "suppressed");
  expect(lines.map(({ level }) => level)).toContain("warn");
});

test("a certificate that nobody vouches for is refused", async () => {
  const url = `imaps://${user}:${encodeURIComponent(dovecotPassword)}@localhost:${dovecot.imaps}/INBOX`;
  const { lines } = begin(world, url);
  await eventually("it is refused", async () => lines.length > 0);
  expect(lines[0]).toMatchObject({ level: "warn" });
});
