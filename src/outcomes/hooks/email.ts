import { parseAnyAddress } from "../../base/address.ts";
import { editionName, parseEditionName } from "../../base/edition-name.ts";
import { Refusal } from "../../base/errors.ts";
import type { Db } from "../../db/schema.ts";
import { editionMessageId, noticeMessageId } from "../../mail/message-id.ts";
import { addressFingerprint, readReturnPath, type ReturnTarget } from "../../mail/return-path.ts";
import { findByAddress } from "../../subscribers/store.ts";
import { findDeliveryOf, noticesOf } from "../store.ts";
import type { HookEvent } from "./event.ts";

export interface EmailDeps {
  db: Db;
  options: { secret: string; bounceAddress: string | null };
}

/** `2026-11-24.2.` or `2026-11-24.notice.`, and 128 bits, as `mail/message-id.ts` writes them. */
const ownId = /^<?(\d{4}-\d{2}-\d{2}(?:\.\d{1,4}|\.notice)?)\.[0-9a-f]{32}@[^@<>\s]{1,255}>?$/;

/**
 * Which email an event is about, as `recordOutcome` takes it. The return path identifies it, and so does the Message-ID, which only this
 * publication can have made for this reader. Otherwise the address has to do, and the time.
 * @throws Refusal 404 for a Message-ID of another reader or another publication that sends through the same account; 422 for a wrong address
 */
export async function emailOf(
  deps: EmailDeps,
  { address, returnPath, messageId }: HookEvent,
): Promise<{ address: string; target?: ReturnTarget }> {
  const { secret, bounceAddress } = deps.options;
  if (returnPath !== null && bounceAddress !== null && readReturnPath({ secret, bounceAddress }, returnPath))
    return { address: returnPath };
  const name = ownId.exec(messageId ?? "")?.[1];
  if (messageId === null || name === undefined) return { address };
  const { key: addressKey } = parseAnyAddress(address);
  const reader = await findByAddress(deps.db, addressKey);
  // `recordOutcome` knows what to do about an unknown address.
  if (!reader) return { address };
  const target = name.endsWith(".notice")
    ? await noticeOf(deps, { readerId: reader.id, messageId })
    : await deliveryOf(deps, { readerId: reader.id, key: reader.key, name, messageId });
  if (!target) throw new Refusal(404, "outcome_without_email", { address });
  return { address, target: { ...target, fingerprint: addressFingerprint(secret, addressKey) } };
}

async function deliveryOf(
  { db, options }: EmailDeps,
  about: { readerId: number; key: Buffer; name: string; messageId: string },
): Promise<{ kind: "delivery"; editionId: number; id: number } | null> {
  const edition = parseEditionName(about.name);
  if (!isSame(about.messageId, editionMessageId(options.secret, editionName(edition), about.key, ""))) return null;
  const found = await findDeliveryOf(db, { readerId: about.readerId, ...edition });
  return found && { kind: "delivery", ...found };
}

async function noticeOf(
  { db, options }: EmailDeps,
  about: { readerId: number; messageId: string },
): Promise<{ kind: "notice"; id: number } | null> {
  const notices = await noticesOf(db, about.readerId);
  const found = notices.find((notice) => isSame(about.messageId, noticeMessageId(options.secret, notice, "")));
  return found ? { kind: "notice", id: found.id } : null;
}

/** Whether two Message-IDs are the same before the domain, with or without brackets. */
function isSame(given: string, own: string): boolean {
  return given.replace(/^</, "").startsWith(own.slice(1, -1));
}
