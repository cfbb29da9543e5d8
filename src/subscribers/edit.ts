import { writeAudit } from "../audit/audit.ts";
import { existingTags } from "../articles/tag-store.ts";
import { cleanTags } from "../articles/tags.ts";
import { parseAddress } from "../base/address.ts";
import { Refusal } from "../base/errors.ts";
import type { Tx } from "../db/schema.ts";
import { startOfDate } from "../schedule/calendar.ts";
import { loadSchedule } from "../schedule/store.ts";
import { type ChangeDeps, requestChange } from "./change-address.ts";
import { noSuchReader, pauseReader, replaceTags, setReaderTimezone } from "./preferences.ts";
import { findByAddress, findSubscriber, type Subscriber } from "./store.ts";
import { findSuppressed, isForGood } from "./suppressions.ts";

/** Fields that are missing stay as they are. */
export interface ReaderEdit {
  /** Replaces all tags, hidden ones too. */
  tags?: readonly string[] | undefined;
  allTags?: boolean | undefined;
  /** A time, or a date in the publication's time zone, on which the emails restart; null ends the pause. */
  pausedUntil?: Date | { date: string } | null | undefined;
  /** IANA name; null for the publication's. */
  timezone?: string | null | undefined;
  /** The new address, whose owner must confirm it. */
  address?: string | undefined;
}

export interface EditedReader {
  reader: Subscriber;
  /** The new address, which waits for its owner's confirmation; null without one. */
  pendingAddress: string | null;
}

/**
 * Changes what a reader gets, for an operator. All of it changes, or nothing. A new address follows the rules of the reader's
 * own change: the new mailbox is asked to confirm it, and the former one gets a notice then.
 * @throws Refusal 404 when there is no such reader; 422 for unknown or no tags, a wrong zone, address or end of a pause; 409
 * when the new address has a subscription or has complained, and for a reader who is not active; 429 when the new address
 * has got too many emails
 */
export async function editReader(
  deps: ChangeDeps,
  { id, actor, ...edit }: ReaderEdit & { id: number; actor: string },
): Promise<EditedReader> {
  const { db, clock } = deps;
  const now = clock.now();
  const paused = edit.pausedUntil;
  const until =
    paused && "date" in paused ? startOfDate(paused.date, (await loadSchedule(db)).timezone) : (paused ?? null);
  // Before the transaction, because the count of emails has one of its own.
  const move = edit.address === undefined ? null : await mayMoveTo(deps, id, edit.address);
  await db.transaction().execute(async (tx) => {
    const reader = await findSubscriber(tx, id);
    if (!reader) throw noSuchReader(id);
    const changed: string[] = [];
    if (edit.tags !== undefined || edit.allTags !== undefined) {
      if (await setFollowed(tx, reader, edit)) changed.push("tags");
    }
    const ends = until === null && reader.pausedSince !== null;
    if (paused !== undefined && (ends || until?.getTime() !== reader.pausedUntil?.getTime())) {
      await pauseReader({ db: tx, clock }, { id, until, by: "operator" });
      changed.push("pausedUntil");
    }
    if (edit.timezone !== undefined && (edit.timezone || null) !== reader.timezone) {
      await setReaderTimezone({ db: tx, clock }, { id, timezone: edit.timezone, by: "operator" });
      changed.push("timezone");
    }
    if (move !== null) {
      await requestChange(tx, id, move, { now, from: null });
      changed.push("address");
    }
    // The audit log has no personal data: the names of the fields only.
    if (changed.length > 0) {
      const detail = { changed: changed.join(", ") };
      await writeAudit(tx, { at: now, actor, action: "subscriber edit", subject: `subscriber ${id}`, detail });
    }
  });
  if (move !== null) await deps.wake("send-notices", {});
  return { reader: (await findSubscriber(db, id))!, pendingAddress: move?.address ?? null };
}

/** @returns whether anything changed */
async function setFollowed(tx: Tx, reader: Subscriber, edit: ReaderEdit): Promise<boolean> {
  const allTags = edit.allTags ?? reader.allTags;
  const names = cleanTags(edit.tags ?? reader.tags);
  if (names.length === 0 && !allTags) throw new Refusal(422, "nothing_followed", { address: reader.address });
  const before = await existingTags(tx, reader.tags);
  const tagIds = await existingTags(tx, names);
  const same = before.length === tagIds.length && before.every((one) => tagIds.includes(one));
  if (same && allTags === reader.allTags) return false;
  await replaceTags(tx, reader.id, { allTags, tagIds });
  return true;
}

/**
 * Unlike the reader, an operator learns why an address cannot be used.
 * @returns null if the reader has this address
 */
async function mayMoveTo(deps: ChangeDeps, id: number, raw: string): Promise<{ address: string; key: string } | null> {
  const { db, options } = deps;
  const { address, key } = parseAddress(raw);
  const reader = await findSubscriber(db, id);
  if (!reader) throw noSuchReader(id);
  if (reader.address.toLowerCase() === key) return null;
  const other = await findByAddress(db, key);
  if (other?.status === "active") throw new Refusal(409, "subscriber_exists", { address, status: other.status });
  const reason = (await findSuppressed(db, options.secret, [key])).get(key);
  if (reason !== undefined && isForGood(reason)) throw new Refusal(409, "address_suppressed", { address, reason });
  if (reader.status !== "active") throw new Refusal(409, "reader_not_active", { address: reader.address });
  if (deps.mayMail && !(await deps.mayMail(key))) throw new Refusal(429, "invited_recently", { address });
  return { address, key };
}
