import { connect } from "node:net";
import { once } from "node:events";
import nodemailer from "nodemailer";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { sql } from "kysely";
import { deliverSlice } from "../../src/deliveries/deliver-slice.ts";
import { renderEdition } from "../../src/editions/render.ts";
import { sendNow } from "../../src/editions/send-now.ts";
import { openBounceListener, type BounceListener } from "../../src/outcomes/listener.ts";
import { findByAddress } from "../../src/subscribers/store.ts";
import { addAllNewsReaders, addArticle } from "../support/readers.ts";
import { startSink, type Sink } from "../support/sink.ts";
import { openWorld, type World } from "../support/world.ts";

const bounceAddress = "bounce@news.example.com";
let sink: Sink;
let world: World;
let listener: BounceListener;
let failing = false;
beforeAll(async () => {
  sink = await startSink();
  world = await openWorld({ env: { SMTP_URL: sink.url, BOUNCE_ADDRESS: bounceAddress } });
});
afterAll(async () => {
  await world.close();
  await sink.close();
});
beforeEach(async () => {
  failing = false;
  const { app } = world;
  const db: typeof app.db = new Proxy(app.db, {
    get: (target, name) => {
      if (failing && name === "transaction") throw new Error("away");
      const value: unknown = Reflect.get(target, name);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
  const place = { protocol: "smtp" as const, host: "127.0.0.1", port: 0, bounceAddress };
  // Each test has its own, because what is refused counts for a minute.
  listener = await openBounceListener({ ...app, db }, place);
  return () => listener.close();
});

/** What a mail server does with a report. @returns its reply */
async function hand(to: string, raw: string): Promise<string> {
  const transport = nodemailer.createTransport({ host: "127.0.0.1", port: listener.port, ignoreTLS: true });
  try {
    const { response } = await transport.sendMail({ envelope: { from: "", to }, raw });
    return response;
  } catch (error) {
    return (error as { response?: string }).response ?? String(error);
  } finally {
    transport.close();
  }
}

const dsn = (action: string, status: string, diagnostic: string): string =>
  [
    "From: MAILER-DAEMON@mx.example.org",
    "Content-Type: multipart/report; report-type=delivery-status; boundary=b",
    "",
    "--b",
    "Content-Type: message/delivery-status",
    "",
    "Reporting-MTA: dns; mx.example.org",
    "",
    "Final-Recipient: rfc822; somebody-else@example.org",
    `Action: ${action}`,
    `Status: ${status}`,
    `Diagnostic-Code: smtp; ${diagnostic}`,
    "",
    "--b--",
  ].join("\r\n");
const complaint = [
  "Content-Type: multipart/report; report-type=feedback-report; boundary=b",
  "",
  "--b",
  "Content-Type: message/feedback-report",
  "",
  "Feedback-Type: abuse",
  "",
  "--b--",
].join("\r\n");
const byPeople = "From: mailer-daemon@x.example\r\nSubject: Delivery failed\r\n\r\nThe server said: 550 5.1.1 gone\r\n";
const absence = "From: r5@example.org\r\nSubject: Out of office\r\nAuto-Submitted: auto-replied\r\n\r\n550 5.1.1\r\n";
const unknown = dsn("failed", "5.1.1", "550 5.1.1 User unknown");

test("one client cannot hold all connections", async () => {
  const clients = Array.from({ length: 21 }, () => connect(listener.port, "127.0.0.1"));
  const greetings = clients.map(async (client) => String((await once(client, "data"))[0]).slice(0, 3));
  expect((await Promise.all(greetings)).toSorted()).toEqual([...Array.from({ length: 20 }, () => "220"), "421"]);
  for (const client of clients) client.destroy();
});

test("an edition whose relay accepts everything gets its bounces and complaints by the return path", async () => {
  const { app } = world;
  const addresses = Array.from({ length: 40 }, (_, i) => `r${i}@example.org`);
  await addAllNewsReaders(app, addresses);
  await addArticle(app, "News");
  const { id: editionId } = await sendNow(app, { extra: false, actor: "test" });
  await renderEdition(app, editionId);
  await deliverSlice(app, { editionId, slice: 0 }, new AbortController().signal);
  const paths = new Map(sink.messages.map(({ to, from }) => [to, from]));
  expect(paths.size).toBe(40);

  const path = (n: number): string => paths.get(`r${n}@example.org`)!;
  // A server may change the case, and says it twice.
  expect(await hand(path(0).toUpperCase(), unknown)).toMatch(/^250 /);
  expect(await hand(path(0), unknown)).toMatch(/^250 /);
  expect(await hand(path(1), dsn("failed", "5.2.2", "552 5.2.2 Over quota"))).toMatch(/^250 /);
  expect(await hand(path(2), dsn("delayed", "4.4.1", "Connection timed out"))).toMatch(/^250 /);
  expect(await hand(path(3), complaint)).toMatch(/^250 /);
  expect(await hand(path(4), byPeople)).toMatch(/^250 /);
  expect(await hand(path(5), absence)).toMatch(/^250 /);
  expect(await hand(path(6), dsn("failed", "5.7.1", "550 5.7.1 Blocked"))).toMatch(/^250 /);
  const { rows } = await sql`
    select s.address, s.status, o.outcome, o.kind, o.source, o.guess from delivery_outcomes o
    join deliveries d on d.edition_id = o.edition_id and d.id = o.delivery_id
    join subscribers s on s.id = d.subscriber_id order by s.id`.execute(app.db);
  expect(rows).toEqual([
    {
      address: "r0@example.org",
      status: "suppressed",
      outcome: "bounced",
      kind: "hard",
      source: "listener",
      guess: false,
    },
    { address: "r1@example.org", status: "active", outcome: "bounced", kind: "soft", source: "listener", guess: false },
    {
      address: "r3@example.org",
      status: "suppressed",
      outcome: "complained",
      kind: null,
      source: "listener",
      guess: false,
    },
    {
      address: "r4@example.org",
      status: "suppressed",
      outcome: "bounced",
      kind: "hard",
      source: "listener",
      guess: true,
    },
    {
      address: "r6@example.org",
      status: "active",
      outcome: "bounced",
      kind: "policy",
      source: "listener",
      guess: false,
    },
  ]);
  const states = await app.db.selectFrom("deliveries").select("state").distinct().execute();
  expect(states).toEqual([{ state: "sent" }]);

  // What cannot be recorded comes again.
  failing = true;
  expect(await hand(path(7), unknown)).toMatch(/^451 /);
  failing = false;
  expect(await hand(path(7), unknown)).toMatch(/^250 /);
  expect((await findByAddress(app.db, "r7@example.org"))!.status).toBe("suppressed");
});

test("a bounce that comes back before the relay's reply is stored is recorded", async () => {
  const { app } = world;
  await sql`update deliveries d set state = 'sending', claim = ${app.sender}, settled_at = null, reply = null
    from subscribers s where s.id = d.subscriber_id and s.address = 'r10@example.org'`.execute(app.db);
  expect(await hand(sink.messages.find(({ to }) => to === "r10@example.org")!.from, unknown)).toMatch(/^250 /);
  expect((await findByAddress(app.db, "r10@example.org"))!.status).toBe("suppressed");
});

test("only return paths of this publication are accepted, and a client that guesses is disconnected", async () => {
  const token = "a".repeat(40);
  for (const address of ["r8@example.org", bounceAddress, `bounce+${token}@news.example.com`]) {
    expect(await hand(address, unknown)).toMatch(/^550 /);
  }
  const replies: string[] = [];
  for (let i = 0; i < 20; i++) replies.push((await hand(`bounce+${i}@news.example.com`, unknown)).slice(0, 3));
  expect(replies[0]).toBe("550");
  expect(replies.at(-1)).toBe("421");
});

test("a message that is too large is refused, and offers neither login nor encryption", async () => {
  const path = sink.messages.find(({ to }) => to === "r8@example.org")!.from;
  expect(await hand(path, `${unknown}\r\n${"x".repeat(1_100_000)}`)).toMatch(/^552 /);
  expect((await findByAddress(world.app.db, "r8@example.org"))!.status).toBe("active");
  const socket = connect(listener.port, "127.0.0.1");
  await once(socket, "data");
  socket.write("EHLO x\r\n");
  const [abilities] = (await once(socket, "data")) as [Buffer];
  socket.destroy();
  expect(abilities.toString()).not.toMatch(/AUTH|STARTTLS/);
});

test("a mail server hands reports over by LMTP, also when it was asked for many wrong addresses", async () => {
  const { app } = world;
  const place = { protocol: "lmtp" as const, host: "127.0.0.1", port: 0, bounceAddress };
  const lmtp = await openBounceListener(app, place);
  const transport = nodemailer.createTransport({ host: "127.0.0.1", port: lmtp.port, lmtp: true, ignoreTLS: true });
  const handOver = async (to: string[]) => {
    const tried = transport.sendMail({ envelope: { from: "", to }, raw: unknown });
    return tried.then(
      ({ accepted }) => accepted,
      () => [],
    );
  };
  try {
    const wrong = Array.from({ length: 30 }, (_, i) => `bounce+${i}@news.example.com`);
    for (const one of wrong) expect(await handOver([one])).toEqual([]);
    const path = sink.messages.find(({ to }) => to === "r9@example.org")!.from;
    expect(await handOver([wrong[0]!, path])).toEqual([path]);
    expect((await findByAddress(app.db, "r9@example.org"))!.status).toBe("suppressed");
  } finally {
    transport.close();
    await lmtp.close();
  }
});

test("a port that is taken is named", async () => {
  const place = { protocol: "smtp" as const, host: "127.0.0.1", port: listener.port, bounceAddress };
  await expect(openBounceListener(world.app, place)).rejects.toMatchObject({ code: "bounce_port_unusable" });
});
