import type { FetchMessageObject, ImapFlow } from "imapflow";
import { reasonOf } from "../base/errors.ts";
import { readReturnPath, readUnsubscribeAddress } from "../mail/return-path.ts";
import { addressesIn } from "./came-to.ts";
import { receiveEmail, type ReceiveDeps } from "./receive.ts";

/** What has been read goes into this folder, and what nobody could read gets this keyword. */
const filed = "Dayletter";
/** Of longer messages, only the beginning is read. Reports stand before the email that they return. */
const longestRead = 1_000_000;
const readAtOnce = 10;
/** More failures in one pass say that none will work. */
const mostFailures = 3;

/** The open folder of a mailbox, whose new messages are read. */
export interface ImapFolder {
  /**
   * Reads all new messages, until `signal` aborts. What could be recorded is marked as read and moved away; all others stay unread, and
   * get a keyword so that they are not read again.
   * @throws if a message could not be recorded. It stays as it is, and comes again
   */
  readNew(signal: AbortSignal): Promise<void>;
}

export function openImapFolder(deps: ReceiveDeps, client: ImapFlow, bounceAddress: string): ImapFolder {
  const { log, options } = deps;
  const path = { secret: options.secret, bounceAddress };
  /** Those that could not be marked, because the server keeps no keywords. */
  const unmarked = new Set<number>();
  let canMove = ["MOVE", "UIDPLUS", "IMAP4rev2"].some((name) => client.capabilities.has(name));
  let hasFolder = false;

  /** @returns whether nobody has to look at it */
  async function readOne({ source }: FetchMessageObject): Promise<boolean> {
    const raw = source!;
    const isOurs = (address: string): boolean =>
      readReturnPath(path, address) !== null || readUnsubscribeAddress(path, address) !== null;
    const addresses = addressesIn(raw, isOurs);
    return addresses.length > 0 && receiveEmail(deps, { raw, addresses, sender: null, source: "imap" });
  }

  async function file(uids: readonly number[]): Promise<void> {
    if (uids.length === 0) return;
    const range = uids.join(",");
    if (!(await client.messageFlagsAdd(range, ["\\Seen"], { uid: true })))
      throw new Error("messages cannot be marked as read");
    if (!canMove) return;
    try {
      // Not all servers say why they create no folder (RFC 5530), and it may exist. Then moving works.
      if (!hasFolder) await client.mailboxCreate(filed).catch(() => undefined);
      hasFolder = true;
      canMove = Boolean(await client.messageMove(range, filed, { uid: true }));
    } catch (error) {
      if (!client.usable) throw error;
      canMove = false;
    }
    if (!canMove) log.warn({ folder: filed }, "read bounces cannot be moved and stay where they are");
  }

  async function leave(uids: readonly number[]): Promise<void> {
    if (uids.length === 0) return;
    log.info({ messages: uids.length }, "messages in the bounce mailbox are not about emails of this publication");
    if (await client.messageFlagsAdd(uids.join(","), [filed], { uid: true })) return;
    for (const uid of uids) unmarked.add(uid);
  }

  return {
    async readNew(signal) {
      const found = await client.search({ seen: false, unKeyword: filed }, { uid: true });
      if (!found) throw new Error("the server does not search");
      const waiting = found.filter((uid) => !unmarked.has(uid));
      const failures: unknown[] = [];
      while (waiting.length > 0 && !signal.aborted && failures.length < mostFailures) {
        const range = waiting.splice(0, readAtOnce).join(",");
        const read: number[] = [];
        const left: number[] = [];
        const query = { uid: true, source: { start: 0, maxLength: longestRead } };
        for (const message of await client.fetchAll(range, query, { uid: true })) {
          if (!message.source) continue;
          try {
            ((await readOne(message)) ? read : left).push(message.uid);
          } catch (error) {
            failures.push(error);
            log.error({ reason: reasonOf(error) }, "bounce could not be recorded");
          }
        }
        await file(read);
        await leave(left);
      }
      if (failures.length > 0) throw failures[0];
    },
  };
}
