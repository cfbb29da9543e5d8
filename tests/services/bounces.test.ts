import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type AddressInfo, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { ImapFlow } from "imapflow";
import pg from "pg";
import { afterAll, beforeAll, expect, test } from "vitest";
import { freePort } from "../../src/base/free-port.ts";
import { selfSigned } from "../support/certificate.ts";
import { closedAfterEach } from "../support/closing.ts";
import { dovecotPassword, startDovecot, type Dovecot } from "../support/dovecot.ts";
import { startPostfix, type Postfix } from "../support/postfix.ts";
import { addressOf, fillReaders, startNode, type Api, type EditionShown } from "../support/publication.ts";
import { freshDatabase } from "../support/services.ts";
import { eventually } from "../support/world.ts";

/** Of 1,000 readers, 30 do not exist, 10 are over quota, and 5 are greylisted. */
const readers = Array.from({ length: 1_000 }, (_, i) => i + 1);
const isGone = (reader: number): boolean => reader % 33 === 0;
const isFull = (reader: number): boolean => reader % 100 === 50;
const isGreylisted = (reader: number): boolean => reader % 200 === 101;
const bounces = 40;
const domains = Array.from({ length: 50 }, (_, i) => `mail${i}.example`);

type Way = "listener" | "imap" | "api";
const ways: Way[] = ["listener", "imap", "api"];
const bounceAddress = (way: Way): string => `${way}-bounces@${way}.news.example`;

const closing = closedAfterEach();
let folder: string;
let listenerPort: number;
let dovecot: Dovecot;
let greylist: Greylist;
/** The publication's relay, which accepts everything, and the host of all readers. */
let relay: Postfix;
let host: Postfix;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "dayletter-bounces-"));
  writeFileSync(join(folder, "cert.pem"), selfSigned.cert);
  listenerPort = await freePort();
  [dovecot, greylist] = await Promise.all([startDovecot(), startGreylist()]);
  host = await startPostfix(
    {
      myhostname: "mx.readers.example",
      virtual_mailbox_domains: domains.join(", "),
      virtual_mailbox_maps: "texthash:$config_directory/mailboxes",
      virtual_transport: "discard",
      smtpd_restriction_classes: "greylist",
      greylist: `check_policy_service inet:127.0.0.1:${greylist.port}`,
      smtpd_recipient_restrictions:
        "reject_unlisted_recipient, check_recipient_access texthash:$config_directory/access, permit",
      // It would slow down or end connections after some wrong recipients.
      smtpd_error_sleep_time: "0",
      smtpd_hard_error_limit: "1000",
    },
    {
      mailboxes: table((reader) => (isGone(reader) ? null : "x")),
      access: table((reader) => (isFull(reader) ? "552 5.2.2 Mailbox full" : isGreylisted(reader) ? "greylist" : null)),
    },
  );
  const toDovecot = `lmtp:[127.0.0.1]:${dovecot.lmtp}`;
  const routes: Record<Way, string> = {
    listener: `smtp:[127.0.0.1]:${listenerPort}`,
    imap: toDovecot,
    api: toDovecot,
  };
  relay = await startPostfix({
    myhostname: "relay.news.example",
    relayhost: `[127.0.0.1]:${host.port}`,
    transport_maps: `inline:{${ways.map((way) => `{${way}.news.example = ${routes[way]}}`).join(", ")}}`,
  });
});
afterAll(async () => {
  await Promise.all([relay?.stop(), host?.stop(), dovecot?.stop(), greylist?.close()]);
  rmSync(folder, { recursive: true, force: true });
});

test.each(ways)("1,000 readers of a real Postfix have the right state after the edition, by %s", async (way) => {
  const database = await freshDatabase();
  closing.push(() => database.drop());
  const node = await startNode("serve", {
    DATA_DIR: join(folder, way),
    DATABASE_URL: database.url,
    SMTP_URL: `smtp://127.0.0.1:${relay.port}`,
    SMTP_CONNECTIONS: "20",
    BOUNCE_ADDRESS: bounceAddress(way),
    ...settingsOf(way),
  });
  closing.push(() => node.program.end("SIGTERM"));
  const client = new pg.Client({ connectionString: database.url });
  await client.connect();
  closing.push(() => client.end());
  await fillReaders(database.url, readers.length);
  const [deferred, delivered] = [greylist.deferred(), deliveredBy(host)];
  await node.api.addArticles();
  const name = await node.api.sendNow();
  const edition = () => node.api.get<EditionShown>(`/editions/${name}`);
  await eventually("the edition is finished", async () => (await edition()).state === "finished", 40_000);
  expect((await edition()).balance).toMatchObject({ selected: readers.length, sent: readers.length });
  if (way === "api") await reportFromMailbox(node.api);
  const outcomes = async () => (await client.query("select 1 from delivery_outcomes")).rowCount;
  await eventually("all bounces are recorded", async () => (await outcomes()) === bounces, 40_000);
  await eventually("the relay has delivered the rest", async () => relay.queued() === 0, 40_000);

  const { rows } = await client.query<Row>(`
    select substr(s.address, 7, 7)::int as reader, s.status, d.state, o.outcome, o.kind, o.code, o.source, o.guess, o.text
    from subscribers s join deliveries d on d.subscriber_id = s.id
    left join delivery_outcomes o on o.edition_id = d.edition_id and o.delivery_id = d.id order by 1`);
  const bounced = { state: "sent", outcome: "bounced", source: way, guess: false };
  const none = { outcome: null, kind: null, code: null, source: null, guess: null };
  expect(rows.map(({ text: _text, ...row }) => row)).toEqual(
    readers.map((reader) => {
      if (isGone(reader)) return { reader, status: "suppressed", ...bounced, kind: "hard", code: "550 5.1.1" };
      if (isFull(reader)) return { reader, status: "active", ...bounced, kind: "soft", code: "552 5.2.2" };
      return { reader, status: "active", state: "sent", ...none };
    }),
  );
  for (const { reader, text } of rows) {
    if (isGone(reader)) expect(text).toMatch(/User unknown in virtual mailbox table/);
    if (isFull(reader)) expect(text).toMatch(/Mailbox full/);
  }
  expect(greylist.deferred() - deferred).toBe(readers.filter(isGreylisted).length);
  expect(deliveredBy(host) - delivered).toBe(readers.length - bounces);
});

/** A table of Postfix, with a line for each reader that has a value. */
function table(valueOf: (reader: number) => string | null): string {
  const lines = readers.map((reader) => [addressOf(reader), valueOf(reader)] as const);
  return lines.flatMap(([address, value]) => (value === null ? [] : [`${address} ${value}\n`])).join("");
}

interface Row {
  reader: number;
  status: string;
  state: string;
  outcome: string | null;
  kind: string | null;
  code: string | null;
  source: string | null;
  guess: boolean | null;
  text: string | null;
}

function settingsOf(way: Way): Record<string, string> {
  if (way === "listener") return { BOUNCE_LISTEN: `127.0.0.1:${listenerPort}` };
  if (way === "api") return {};
  const login = `imap-bounces:${encodeURIComponent(dovecotPassword)}`;
  return {
    BOUNCE_IMAP: `imaps://${login}@localhost:${dovecot.imaps}/INBOX`,
    NODE_EXTRA_CA_CERTS: join(folder, "cert.pem"),
  };
}

/** How many emails this host has delivered. */
function deliveredBy({ log }: Postfix): number {
  return log().match(/ to=<reader.*relay=none.*status=sent/g)?.length ?? 0;
}

/** A publisher's own program: reads the bounces of a mailbox, and reports them with the API. */
async function reportFromMailbox(api: Api): Promise<void> {
  const auth = { user: "api-bounces", pass: dovecotPassword };
  const place = { host: "127.0.0.1", port: dovecot.imap, secure: false, doSTARTTLS: false };
  const client = new ImapFlow({ ...place, auth, logger: false });
  await client.connect();
  try {
    await eventually(
      "all bounces are in the mailbox",
      async () => {
        const status = await client.status("INBOX", { messages: true });
        return status && status.messages === bounces;
      },
      40_000,
    );
    await client.mailboxOpen("INBOX");
    const all = await client.fetchAll("1:*", { source: true });
    const reports = all.map(({ source }) => {
      const raw = String(source).replaceAll("\r\n", "\n");
      const [, text = ""] = /^Diagnostic-Code: smtp; (.*(?:\n .*)*)/m.exec(raw)!;
      const code = /^\d{3} \d\.\d\.\d+/.exec(text)![0];
      return { address: /^To: (.*)/m.exec(raw)![1], outcome: "bounced", code, text: text.replace(/\s+/g, " ") };
    });
    const { outcomes } = await api.post<{ outcomes: { result: string }[] }>("/outcomes", reports);
    expect(outcomes.every(({ result }) => result === "recorded")).toBe(true);
  } finally {
    await client.logout();
  }
}

interface Greylist {
  port: number;
  /** How many recipients it has deferred. */
  deferred(): number;
  close(): Promise<void>;
}

/** A policy service of Postfix that defers the first attempt for each sender and recipient. */
async function startGreylist(): Promise<Greylist> {
  const seen = new Set<string>();
  const sockets = new Set<Socket>();
  const server: Server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => undefined);
    let request: Record<string, string> = {};
    createInterface({ input: socket }).on("line", (line) => {
      const at = line.indexOf("=");
      if (at > 0) {
        request[line.slice(0, at)] = line.slice(at + 1);
        return;
      }
      const pair = `${request["sender"]} ${request["recipient"]}`;
      socket.write(`action=${seen.has(pair) ? "DUNNO" : "DEFER 4.7.1 Greylisted, try again"}\n\n`);
      seen.add(pair);
      request = {};
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    deferred: () => seen.size,
    async close() {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}
