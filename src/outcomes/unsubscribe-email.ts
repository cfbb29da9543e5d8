import type { Clock } from "../base/clock.ts";
import type { Log } from "../base/log.ts";
import type { Db } from "../db/schema.ts";
import { readUnsubscribeAddress } from "../mail/return-path.ts";
import { findIdByKeyStart } from "../subscribers/store.ts";
import { unsubscribeReader } from "../subscribers/unsubscribe.ts";
import { readHeaders } from "./entity.ts";

export interface UnsubscribeEmailDeps {
  db: Db;
  clock: Clock;
  log: Log;
  options: { secret: string; bounceAddress: string | null };
}

/** An email to the address in a List-Unsubscribe header. */
export interface ReceivedEmail {
  /** The envelope's recipient. */
  address: string;
  /** The envelope's sender, empty for a bounce; null if it is not known. */
  sender: string | null;
  raw: Buffer;
}

/**
 * Unsubscribes the reader whose List-Unsubscribe header has this address (RFC 2369 §3.2), as its one-click link does. What the email
 * says doesn't count, because email programs write what they like. Bounces and automatic replies change nothing, nor do repeats and
 * emails of readers who were erased.
 * @returns whether the email is such a request. If it isn't, it is for somebody else.
 */
export async function unsubscribeByEmail(deps: UnsubscribeEmailDeps, email: ReceivedEmail): Promise<boolean> {
  const { db, log, options } = deps;
  const { secret, bounceAddress } = options;
  const start = bounceAddress === null ? null : readUnsubscribeAddress({ secret, bounceAddress }, email.address);
  if (start === null) return false;
  if (isAutomatic(email)) {
    log.info({}, "automatic email to an unsubscribe address ignored");
    return true;
  }
  const id = await findIdByKeyStart(db, start);
  if (id !== null) await unsubscribeReader(deps, { id, actor: null, by: "email" });
  return true;
}

/** RFC 3834 §5, and RFC 5321 §4.5.5 for an empty sender, which a mailbox has only in Return-Path. */
function isAutomatic({ sender, raw }: ReceivedEmail): boolean {
  const headers = readHeaders(raw);
  const from = sender ?? headers.get("return-path") ?? null;
  if (from === "" || from === "<>" || /^multipart\/report\b/i.test(headers.get("content-type") ?? "")) return true;
  // Apple Mail's button marks its email as an automatic reply (github.com/sisimai/set-of-emails/issues/26).
  const byButton = /^true\b/i.test(headers.get("x-apple-unsubscribe") ?? "");
  return !byButton && !/^no(?:[\s;(]|$)/i.test(headers.get("auto-submitted") ?? "no");
}
