import { spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, fstatSync, openSync, readFileSync, readSync } from "node:fs";
import type { AddressInfo, Socket } from "node:net";
import { createInterface } from "node:readline";
import { setTimeout as wait } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { SMTPServer, type SMTPServerOptions } from "smtp-server";
import { selfSigned } from "./certificate.ts";

/** A reply such as "550 5.1.1 no such user"; `drop` cuts the connection, `hang` never answers, null goes on as usual. */
export type Answer = `${number} ${string}` | "drop" | "hang" | null;
/** Beside those, `twice` keeps the message and answers it two times. */
export type AnswerToData = Answer | "twice";

export interface SinkOptions {
  /** Asked at the greeting; "drop" and "hang" as elsewhere. */
  onConnect?(): Answer;
  onMail?(from: string): Answer;
  onRcpt?(to: string): Answer;
  /** Asked when the whole message, with its dot, has come. Messages answered with null or 2xx are kept. */
  onData?(to: string): AnswerToData;
  /** Called with each message before it is answered. */
  onMessage?(message: Received): void;
  /** Demands this log-in. */
  auth?: { user: string; password: string };
  /** Offers STARTTLS, or is TLS from the first byte, with a self-signed certificate for localhost. */
  tls?: "starttls" | "implicit";
  /** How long the answer to each message takes; a function is asked for each of them. */
  delayMs?: number | (() => number);
  /** A fixed port, to come back where another sink was. */
  port?: number;
  /** Anything else that smtp-server can do. */
  server?: SMTPServerOptions;
}

export interface Received {
  from: string;
  to: string;
  /** As sent, without dot-stuffing. */
  raw: Buffer;
  receivedAt: Date;
}

export interface Sink {
  port: number;
  url: string;
  messages: Received[];
  /** Connections made since the start. */
  connections(): number;
  count(): number;
  /** Resolves when `n` messages have come in all. */
  waitFor(n: number): Promise<void>;
  /** Cuts all connections, with nothing said. */
  dropAll(): void;
  close(): Promise<void>;
}

/** A mail server on a free loopback port, in this process, that keeps what it gets and answers as it is told. */
export async function startSink(options: SinkOptions = {}): Promise<Sink> {
  const messages: Received[] = [];
  const sockets = new Map<number, Socket>();
  let waiting: { n: number; resolve(): void }[] = [];
  let connections = 0;

  /** Acts on an answer; `go` is called for null and for 2xx replies. */
  function act(
    answer: Answer | undefined,
    session: { remotePort: number },
    done: (error?: Error | null) => void,
    go: () => void,
  ): void {
    if (answer === "hang") return;
    if (answer === "drop") sockets.get(session.remotePort)?.destroy();
    else if (answer === null || answer === undefined || answer.startsWith("2")) go();
    else done(Object.assign(new Error(answer.slice(4)), { responseCode: Number(answer.slice(0, 3)) }));
  }

  const server = new SMTPServer({
    hideENHANCEDSTATUSCODES: true,
    disableReverseLookup: true,
    closeTimeout: 1,
    secure: options.tls === "implicit",
    ...selfSigned,
    disabledCommands: [...(options.tls === "starttls" ? [] : ["STARTTLS"]), ...(options.auth ? [] : ["AUTH"])],
    allowInsecureAuth: true,
    authOptional: options.auth === undefined,
    onAuth(given, _session, done) {
      const right = given.username === options.auth?.user && given.password === options.auth?.password;
      if (right) done(null, { user: "someone" });
      else done(Object.assign(new Error("5.7.8 wrong user name or password"), { responseCode: 535 }));
    },
    onConnect(session, done) {
      connections += 1;
      act(options.onConnect?.(), session, done, () => done());
    },
    onMailFrom(address, session, done) {
      act(options.onMail?.(address.address), session, done, () => done());
    },
    onRcptTo(address, session, done) {
      act(options.onRcpt?.(address.address), session, done, () => done());
    },
    onData(stream, session, done) {
      const chunks: Buffer[] = [];
      stream.on("data", (chunk: Buffer) => chunks.push(chunk));
      stream.once("end", () => {
        const { mailFrom, rcptTo } = session.envelope;
        const raw = Buffer.concat(chunks);
        const to = rcptTo[0]?.address ?? "";
        const answer = options.onData?.(to);
        const accept = async (): Promise<void> => {
          const ms = typeof options.delayMs === "function" ? options.delayMs() : (options.delayMs ?? 0);
          if (ms > 0) await wait(ms);
          for (const { address } of rcptTo) {
            const message = { from: mailFrom ? mailFrom.address : "", to: address, raw, receivedAt: new Date() };
            options.onMessage?.(message);
            messages.push(message);
          }
          for (const waiter of waiting) if (messages.length >= waiter.n) waiter.resolve();
          waiting = waiting.filter((waiter) => messages.length < waiter.n);
          done(null, "2.0.0 kept");
          if (answer === "twice") sockets.get(session.remotePort)?.write("250 2.0.0 kept\r\n");
        };
        act(answer === "twice" ? null : answer, session, done, () => void accept());
      });
    },
    ...options.server,
  });
  server.on("error", () => {}); // Cut connections, which the tests look at from the other end.
  server.server.on("connection", (socket: Socket) => {
    const remotePort = socket.remotePort ?? 0;
    sockets.set(remotePort, socket);
    socket.once("close", () => sockets.delete(remotePort));
  });
  server.listen(options.port ?? 0, "127.0.0.1");
  await once(server.server, "listening");
  const { port } = server.server.address() as AddressInfo;

  const dropAll = (): void => {
    for (const socket of sockets.values()) socket.destroy();
  };
  return {
    port,
    url: `${options.tls === "implicit" ? "smtps" : "smtp"}://127.0.0.1:${port}`,
    messages,
    connections: () => connections,
    count: () => messages.length,
    waitFor: (n) => (messages.length >= n ? Promise.resolve() : new Promise((resolve) => waiting.push({ n, resolve }))),
    dropAll,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        dropAll();
      }),
  };
}

/** How a sink process answers messages: all after `delayMs`, and every nth of them late, or twice. */
export interface Behaviour {
  delayMs?: number;
  late?: { every: number; ms: number };
  twice?: { every: number };
}

export interface SinkProcess {
  port: number;
  url: string;
  pid: number;
  /** What was accepted, in order: a message is in the file before its 250 goes out. */
  accepted(): { to: string; messageId: string }[];
  /** The number of accepted messages; cheap to call often. */
  count(): number;
  /** Changes how it answers from now on. */
  behave(behaviour: Behaviour): void;
  kill(): Promise<void>;
}

/** The same in a process of its own, so that it takes no time from the sender and outlives it. */
export async function startSinkProcess(options: {
  logFile: string;
  delayMs?: number;
  port?: number;
}): Promise<SinkProcess> {
  let counted = { bytes: 0, messages: 0 };
  const program = fileURLToPath(new URL("sink-process.ts", import.meta.url));
  const argv = ["--import", "tsx", program, JSON.stringify(options)];
  const child = spawn(process.execPath, argv, { stdio: ["pipe", "pipe", "inherit"] });
  // A sink that was killed hears no more orders.
  child.stdin.on("error", () => undefined);
  const exited = once(child, "exit");
  const lines = createInterface({ input: child.stdout });
  const [line] = (await Promise.race([
    once(lines, "line"),
    exited.then(() => Promise.reject(new Error("The sink process did not start."))),
  ])) as [string];
  const { port } = JSON.parse(line) as { port: number };
  return {
    port,
    url: `smtp://127.0.0.1:${port}`,
    pid: child.pid ?? 0,
    // What stands behind the last line break is still being written.
    accepted: () =>
      readFileSync(options.logFile, "utf8")
        .split("\n")
        .slice(0, -1)
        .map((row) => JSON.parse(row) as { to: string; messageId: string }),
    count() {
      const part = readFrom(options.logFile, counted.bytes);
      let { bytes, messages } = counted;
      for (let end = part.indexOf("\n"); end !== -1; end = part.indexOf("\n", end + 1)) messages += 1;
      bytes += part.length;
      counted = { bytes, messages };
      return messages;
    },
    behave: (behaviour) => void child.stdin.write(`${JSON.stringify(behaviour)}\n`),
    async kill() {
      child.kill("SIGKILL");
      await exited;
    },
  };
}

/** What a file has gained behind its first `at` bytes. */
function readFrom(file: string, at: number): Buffer {
  const handle = openSync(file, "r");
  try {
    const part = Buffer.alloc(fstatSync(handle).size - at);
    return part.subarray(0, readSync(handle, part, 0, part.length, at));
  } finally {
    closeSync(handle);
  }
}
