import { setTimeout as wait } from "node:timers/promises";
import type { ImapFlow, ImapFlowError } from "imapflow";
import { within } from "../base/async.ts";
import { reasonOf } from "../base/errors.ts";
import { oneLine } from "../base/text.ts";
import type { ImapMailbox } from "../config/mail.ts";
import type { Database } from "../db/open.ts";
import { openImapFolder } from "./imap-folder.ts";
import type { ReceiveDeps } from "./receive.ts";

/** How often a worker looks whether it has to take over, and the longest time between two looks into the mailbox. */
const takeOverMs = 5_000;
const lookEveryMs = 5 * 60_000;
/** Restarts IDLE, so that a dead connection is noticed. RFC 2177 asks for at most 29 minutes. */
const idleMs = 4 * 60_000;
const connectMs = 20_000;
const logoutMs = 1_000;
const firstRetryMs = 1_000;
const longestRetryMs = 5 * 60_000;
/** Bounds what a broken server can make this process keep. A message's part is at most 1 MB. */
const longestLiteral = 2_000_000;
const longestResponse = 20_000_000;

export interface MailboxReader {
  /** Finishes what it is recording. */
  close(): Promise<void>;
}

/**
 * Reads bounces and complaints from a mailbox over IMAP as they arrive (IDLE, RFC 2177). Of all workers, only one is connected. While
 * the server or the database does not answer, it tries again after 1 s to 5 min.
 */
export function readBounceMailbox(
  deps: ReceiveDeps & { database: Pick<Database, "hold"> },
  { mailbox, bounceAddress }: { mailbox: ImapMailbox; bounceAddress: string },
): MailboxReader {
  const { log, database } = deps;
  const stopping = new AbortController();
  let failures = 0;
  let lastReason: string | null = null;

  const worked = (): void => {
    if (lastReason !== null) log.info({ host: mailbox.host }, "bounce mailbox can be read again");
    failures = 0;
    lastReason = null;
  };

  async function readWhileHeld(): Promise<void> {
    const hold = await database.hold("bounce-mailbox");
    if (!hold) return;
    try {
      await readConnected(deps, { mailbox, bounceAddress, worked }, AbortSignal.any([stopping.signal, hold.lost]));
    } finally {
      await hold.release();
    }
  }

  async function run(): Promise<void> {
    while (!stopping.signal.aborted) {
      let pauseMs = takeOverMs;
      try {
        await readWhileHeld();
      } catch (error) {
        pauseMs = Math.min(firstRetryMs * 2 ** failures, longestRetryMs);
        failures += 1;
        const reason = failureOf(error);
        const about = { host: mailbox.host, reason, retrySeconds: pauseMs / 1_000 };
        log[reason === lastReason ? "debug" : "warn"](about, "bounce mailbox cannot be read and will be tried again");
        lastReason = reason;
      }
      await pause(pauseMs, stopping.signal);
    }
  }

  const running = run();
  return {
    async close() {
      stopping.abort();
      await running;
    },
  };
}

/** One connection. Ends when `signal` aborts. @throws if the connection fails or a message cannot be recorded */
async function readConnected(
  deps: ReceiveDeps,
  { mailbox, bounceAddress, worked }: { mailbox: ImapMailbox; bounceAddress: string; worked: () => void },
  signal: AbortSignal,
): Promise<void> {
  const client = await createClient(mailbox);
  const bell = createBell();
  let failure: unknown = new Error("the server closed the connection");
  client.on("error", (error) => (failure = error));
  client.on("close", bell.ring);
  client.on("exists", bell.ring);
  const end = (): void => {
    if (!client.usable) client.close();
    bell.ring();
  };
  signal.addEventListener("abort", end, { once: true });
  try {
    await client.connect();
    await client.mailboxOpen(mailbox.folder);
    deps.log.info({ host: mailbox.host, folder: mailbox.folder }, "reading bounces from a mailbox");
    const folder = openImapFolder(deps, client, bounceAddress);
    while (!signal.aborted) {
      bell.mute();
      await folder.readNew(signal);
      worked();
      // The next command ends it. A failure also closes the connection.
      client.idle().catch(() => undefined);
      await bell.rung(lookEveryMs);
      if (!client.usable && !signal.aborted) throw failure;
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    signal.removeEventListener("abort", end);
    if (client.usable) await within(logoutMs, client.logout()).catch(() => undefined);
    client.close();
  }
}

/** Remembers that it was rung while nobody waited. */
function createBell(): { ring(): void; mute(): void; rung(atMostMs: number): Promise<void> } {
  let rings = new AbortController();
  return {
    ring: () => rings.abort(),
    mute: () => (rings = new AbortController()),
    rung: (atMostMs) => pause(atMostMs, rings.signal),
  };
}

async function createClient({ host, port, tls, user, password }: ImapMailbox): Promise<ImapFlow> {
  const { ImapFlow: Client } = await import("imapflow");
  return new Client({
    host,
    port,
    secure: tls === "implicit",
    doSTARTTLS: tls === "starttls",
    auth: { user, pass: password },
    logger: false,
    clientInfo: { name: "Dayletter" },
    disableAutoIdle: true,
    maxIdleTime: idleMs,
    connectionTimeout: connectMs,
    maxLiteralSize: longestLiteral,
    maxLineLength: longestResponse,
    maxResponseSize: longestResponse,
  });
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await wait(ms, null, { signal, ref: false }).catch(() => undefined);
}

/** With the server's words, which say more than the library's. */
function failureOf(error: unknown): string {
  const { responseText, response } = error as ImapFlowError;
  const said = [responseText, response].find((text) => typeof text === "string");
  return oneLine([reasonOf(error), said].filter((text) => text).join(": "));
}
