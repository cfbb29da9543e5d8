/**
 * Makes the bounces of real mail servers in tests/fixtures/bounces again. Run it as root, with the programs of Debian's packages:
 *
 *     npx tsx tests/support/make-bounces.ts postfix
 *     npx tsx tests/support/make-bounces.ts exim /usr/sbin/exim4
 *     npx tsx tests/support/make-bounces.ts opensmtpd /usr/sbin/smtpd
 *
 * Exim and OpenSMTPD conflict with Postfix. Their packages need not be installed: unpack them with `dpkg-deb -x`. OpenSMTPD needs the
 * users `opensmtpd` and `opensmtpq` and the folders of its package.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import nodemailer from "nodemailer";
import { SMTPServer } from "smtp-server";
import { freePort } from "../../src/base/free-port.ts";
import { packageRoot } from "../../src/package-root.ts";
import { answers } from "./ports.ts";
import { startPostfix } from "./postfix.ts";
import { eventually } from "./world.ts";

const bounceDomain = "news.example.com";
const hostname = "relay.example.com";

/** What the receiving server says to each recipient, at RCPT TO or after the message. */
const refusals: Record<string, { rcpt?: string; data?: string }> = {
  unknown: { rcpt: "550 5.1.1 <unknown@remote.example>: Recipient address rejected: User unknown" },
  full: { rcpt: "552 5.2.2 <full@remote.example>: Mailbox full" },
  blocked: { data: "550 5.7.1 Message refused by our spam policy" },
  bare: { rcpt: "550 No such person at this address" },
  lines: {
    rcpt: "550-5.1.1 The email account that you tried to reach does not exist.\r\n550 5.1.1 Please check it for typing errors",
  },
  later: { rcpt: "451 4.3.0 Come back in a moment" },
  jörg: { rcpt: "550 5.1.1 <jörg@utf8.example>: Unknown user" },
};

/** By the name of the file: whom the email is for. */
const cases: Record<string, string> = {
  unknown: "unknown@remote.example",
  full: "full@remote.example",
  blocked: "blocked@remote.example",
  bare: "bare@remote.example",
  lines: "lines@remote.example",
  later: "later@remote.example",
  "unknown-host": "ada@nohost.invalid",
  unreachable: "ada@closed.example",
  smtputf8: "jörg@utf8.example",
  "no-smtputf8": "jörg@remote.example",
};

interface Places {
  collector: number;
  remote: number;
  utf8: number;
  closed: number;
}

interface Server {
  port: number;
  stop(): Promise<void>;
}

const bounces = new Map<string, string[]>();

async function listen(server: SMTPServer): Promise<number> {
  server.on("error", () => undefined);
  const listening = server.listen(0, "127.0.0.1");
  await once(listening, "listening");
  return (listening.address() as AddressInfo).port;
}

const reply = (text: string): Error =>
  Object.assign(new Error(text.slice(4)), { responseCode: Number(text.slice(0, 3)) });

function remoteServer(smtputf8: boolean): SMTPServer {
  return new SMTPServer({
    name: "mx.remote.example",
    authOptional: true,
    disabledCommands: ["AUTH", "STARTTLS"],
    hideSMTPUTF8: !smtputf8,
    disableReverseLookup: true,
    onRcptTo({ address }, _session, done) {
      const said = refusals[address.split("@")[0]!]?.rcpt;
      done(said === undefined ? null : reply(said));
    },
    onData(stream, { envelope }, done) {
      stream.resume();
      const said = refusals[envelope.rcptTo[0]!.address.split("@")[0]!]?.data;
      stream.on("end", () => done(said === undefined ? null : reply(said)));
    },
  });
}

/** Where the bounces come back to. */
const collector = new SMTPServer({
  authOptional: true,
  disabledCommands: ["AUTH", "STARTTLS"],
  disableReverseLookup: true,
  onData(stream, { envelope }, done) {
    const chunks: Buffer[] = [];
    stream.on("data", (chunk: Buffer) => chunks.push(chunk));
    stream.on("end", () => {
      const name = envelope.rcptTo[0]!.address.split("@")[0]!.replace("bounce+", "");
      bounces.set(name, [...(bounces.get(name) ?? []), Buffer.concat(chunks).toString("latin1")]);
      done();
    });
  },
});

async function postfix({ collector: bounced, remote, utf8, closed }: Places): Promise<Server> {
  const to = (port: number): string => `smtp:[127.0.0.1]:${port}`;
  return startPostfix({
    myhostname: hostname,
    transport_maps: `inline:{${[
      `{${bounceDomain} = ${to(bounced)}}`,
      `{remote.example = ${to(remote)}}`,
      `{utf8.example = ${to(utf8)}}`,
      `{closed.example = ${to(closed)}}`,
    ].join(", ")}}`,
    delay_warning_time: "2s",
    maximal_queue_lifetime: "6s",
  });
}

async function run(program: string, argv: string[], port: number, folder: string): Promise<Server> {
  const child = spawn(program, argv, { stdio: "inherit" });
  await eventually(`${program} listens`, () => answers(port));
  return {
    port,
    async stop() {
      const ended = once(child, "exit");
      child.kill("SIGTERM");
      await ended;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function newFolder(name: string): string {
  const folder = mkdtempSync(join(tmpdir(), `dayletter-${name}-`));
  chmodSync(folder, 0o777);
  return folder;
}

async function exim(program: string, places: Places): Promise<Server> {
  const folder = newFolder("exim");
  const port = await freePort();
  for (const name of ["spool", "log"]) mkdirSync(join(folder, name), { mode: 0o777 });
  for (const name of ["spool", "log"]) chmodSync(join(folder, name), 0o777);
  const route = (name: string, domain: string): string[] => [
    `${name}:`,
    "  driver = manualroute",
    `  domains = ${domain}`,
    `  transport = to_${name}`,
    "  route_list = * 127.0.0.1 byname",
    "  self = send",
  ];
  const transport = (name: string, at: number): string[] => [
    `to_${name}:`,
    "  driver = smtp",
    `  port = ${at}`,
    "  allow_localhost",
    "  hosts_avoid_tls = *",
  ];
  const config = [
    `exim_path = ${program}`,
    `spool_directory = ${folder}/spool`,
    `log_file_path = ${folder}/log/%slog`,
    `pid_file_path = ${folder}/pid`,
    `primary_hostname = ${hostname}`,
    "exim_user = nobody",
    "exim_group = nogroup",
    "never_users =",
    "local_interfaces = 127.0.0.1",
    `daemon_smtp_ports = ${port}`,
    "acl_smtp_rcpt = accept",
    "acl_smtp_data = accept",
    "smtputf8_advertise_hosts = *",
    "tls_advertise_hosts =",
    "smtp_accept_max = 0",
    "delay_warning = 2s",
    "begin routers",
    ...route("collector", bounceDomain),
    ...route("remote", "remote.example"),
    ...route("utf8", "utf8.example"),
    ...route("closed", "closed.example"),
    "dns:",
    "  driver = dnslookup",
    "  domains = *",
    "  transport = to_remote",
    "  no_more",
    "begin transports",
    ...transport("collector", places.collector),
    ...transport("remote", places.remote),
    ...transport("utf8", places.utf8),
    ...transport("closed", places.closed),
    "begin retry",
    "* * F,6s,1s",
  ];
  const file = join(folder, "exim.conf");
  writeFileSync(file, `${config.join("\n")}\n`);
  return run(program, ["-C", file, "-bdf", "-q1s"], port, folder);
}

async function opensmtpd(program: string, places: Places): Promise<Server> {
  const folder = newFolder("opensmtpd");
  const port = await freePort();
  const config = [
    "queue ttl 8s",
    "bounce warn-interval 2s",
    `listen on 127.0.0.1 port ${port} hostname ${hostname}`,
    `action "collector" relay host smtp://127.0.0.1:${places.collector}`,
    `action "remote" relay host smtp://127.0.0.1:${places.remote}`,
    `action "utf8" relay host smtp://127.0.0.1:${places.utf8}`,
    `action "closed" relay host smtp://127.0.0.1:${places.closed}`,
    'action "dns" relay',
    `match from any for domain "${bounceDomain}" action "collector"`,
    'match from any for domain "remote.example" action "remote"',
    'match from any for domain "utf8.example" action "utf8"',
    'match from any for domain "closed.example" action "closed"',
    'match from any for any action "dns"',
  ];
  const file = join(folder, "smtpd.conf");
  writeFileSync(file, `${config.join("\n")}\n`, { mode: 0o600 });
  return run(program, ["-d", "-f", file], port, folder);
}

async function send(port: number): Promise<string[]> {
  const transport = nodemailer.createTransport({ host: "127.0.0.1", port, ignoreTLS: true });
  const refused: string[] = [];
  for (const [name, to] of Object.entries(cases)) {
    const raw = [
      "From: Telecom Daily <alerts@example.com>",
      `To: ${to}`,
      "Subject: News",
      `Message-ID: <${name}@example.com>`,
      "MIME-Version: 1.0",
      "Content-Type: text/plain; charset=utf-8",
      "Content-Transfer-Encoding: 8bit",
      "",
      "Nachrichten für Jörg. 550 5.1.1 in the text.",
      "",
    ].join("\r\n");
    const envelope = { from: `bounce+${name}@${bounceDomain}`, to, use8BitMime: true };
    await transport.sendMail({ envelope, raw }).catch((error: unknown) => refused.push(`${name}: ${String(error)}`));
  }
  transport.close();
  return refused;
}

const [name = "", program = ""] = process.argv.slice(2);
const servers: Record<string, (places: Places) => Promise<Server>> = {
  postfix,
  exim: (places) => exim(program, places),
  opensmtpd: (places) => opensmtpd(program, places),
};
const begin = servers[name];
if (!begin || (name !== "postfix" && program === "")) {
  process.stderr.write(`${readFileSync(import.meta.filename, "utf8").split("*/")[0]}*/\n`);
  process.exit(2);
}
const [plain, international] = [remoteServer(false), remoteServer(true)];
const places = {
  collector: await listen(collector),
  remote: await listen(plain),
  utf8: await listen(international),
  closed: await freePort(),
};
const server = await begin(places);
const isWarning = (raw: string): boolean => /^Action: delayed|^Subject: (?:Warning|Delayed)/im.test(raw);
try {
  for (const line of await send(server.port)) process.stdout.write(`Refused at once: ${line}\n`);
  const all = Object.keys(cases);
  await eventually(
    "all bounces are back",
    async () => all.every((one) => bounces.get(one)?.some((raw) => !isWarning(raw))),
    60_000,
  ).catch((error: unknown) => process.stdout.write(`${String(error)}\n`));
} finally {
  await server.stop();
  for (const one of [collector, plain, international]) one.close(() => undefined);
}
for (const [one, raws] of bounces) {
  for (const raw of raws) {
    const file = `${name}-${one}${isWarning(raw) ? "-delayed" : ""}.eml`;
    writeFileSync(join(packageRoot, "tests/fixtures/bounces", file), raw, "latin1");
    process.stdout.write(`${file}\n`);
  }
}
