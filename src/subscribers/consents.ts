import { randomBytes } from "node:crypto";
import { sql } from "kysely";
import type { Db, Tx } from "../db/schema.ts";
import { httpUrl } from "../render/plain.ts";

/** A reader's request on a form, and its origin. */
export interface ConsentRequest {
  method: string;
  wording: string | null;
  wordingVersion: string | null;
  tags: readonly string[];
  tagIds: readonly number[];
  allTags: boolean;
  timezone: string | null;
  formUrl: string | null;
  requestedAt: Date;
  /** The client's network address. */
  requestedFrom: string | null;
}

/** A request that its reader can confirm. */
export interface Consent {
  id: number;
  subscriberId: number;
  tags: string[];
  allTags: boolean;
  timezone: string | null;
  confirmedAt: Date | null;
}

/** Stores an unconfirmed request. @returns its id */
export async function addConsent(tx: Tx, subscriberId: number, request: ConsentRequest): Promise<number> {
  const { id } = await tx
    .insertInto("consents")
    .values({
      subscriber_id: subscriberId,
      key: randomBytes(16),
      method: request.method,
      wording: request.wording,
      wording_version: request.wordingVersion,
      tags: [...request.tags],
      tag_ids: [...request.tagIds],
      all_tags: request.allTags,
      timezone: request.timezone,
      form_url: request.formUrl,
      requested_at: request.requestedAt,
      requested_from: request.requestedFrom,
    })
    .returning("id")
    .executeTakeFirstOrThrow();
  return id;
}

/** A consent that an operator vouches for, without a confirmation link. */
export interface VouchedConsent {
  subscriberId: number;
  allTags: boolean;
  /** null while the reader has not agreed. */
  confirmedAt: Date | null;
  consent: {
    method: string;
    wording: string | null;
    tags: readonly string[];
    /** When the reader agreed; now when missing. */
    at?: Date;
    formUrl?: string | null;
  };
}

/** Stores a record for each. */
export async function addVouchedConsents(tx: Tx, rows: readonly VouchedConsent[], now: Date): Promise<void> {
  if (rows.length === 0) return;
  await tx
    .insertInto("consents")
    .values(
      rows.map(({ subscriberId, allTags, confirmedAt, consent: { method, wording, tags, at, formUrl } }) => ({
        subscriber_id: subscriberId,
        method,
        wording,
        tags: [...tags],
        all_tags: allTags,
        form_url: formUrl == null ? null : httpUrl(formUrl),
        requested_at: at ?? now,
        confirmed_at: confirmedAt,
      })),
    )
    .execute();
}

/** An act of a reader that continues their consent. */
export interface OwnAct {
  method: "address_change" | "unsubscribe_undone" | "kept";
  requestedAt: Date;
  /** The client's network address. */
  requestedFrom: string | null;
  confirmedAt: Date;
  confirmedFrom: string | null;
}

/** Stores a record of it, with the tags that the reader follows at that time. */
export async function addOwnAct(
  tx: Tx,
  reader: { id: number; tags: readonly string[]; allTags: boolean; timezone: string | null },
  act: OwnAct,
): Promise<void> {
  await tx
    .insertInto("consents")
    .values({
      subscriber_id: reader.id,
      method: act.method,
      tags: [...reader.tags],
      all_tags: reader.allTags,
      timezone: reader.timezone,
      requested_at: act.requestedAt,
      requested_from: act.requestedFrom,
      confirmed_at: act.confirmedAt,
      confirmed_from: act.confirmedFrom,
    })
    .execute();
}

/** What readers confirm themselves, in their mailbox or on their own pages. */
const ownMethods = ["form", "address_change", "unsubscribe_undone", "kept"];

/** The last time that each active reader among these addresses agreed here themselves. Others are missing. */
export async function ownConsents(tx: Tx, addressKeys: readonly string[]): Promise<Map<string, Date>> {
  if (addressKeys.length === 0) return new Map();
  const { rows } = await sql<{ key: string; at: Date }>`
    select s.address_key as key, max(c.confirmed_at) as at from subscribers s join consents c on c.subscriber_id = s.id
    where s.address_key = any(${addressKeys}::text[]) and s.status = 'active'
      and c.method = any(${ownMethods}::text[]) and c.confirmed_at is not null
    group by 1`.execute(tx);
  return new Map(rows.map(({ key, at }) => [key, at]));
}

export async function consentByKey(db: Db | Tx, key: Buffer): Promise<Consent | null> {
  const row = await db
    .selectFrom("consents")
    .select([
      "id",
      "subscriber_id as subscriberId",
      "tags",
      "all_tags as allTags",
      "timezone",
      "confirmed_at as confirmedAt",
    ])
    .where("key", "=", key)
    .executeTakeFirst();
  return row ?? null;
}

/** Deletes a reader's unconfirmed requests, so that their links stop working. */
export async function dropUnconfirmed(tx: Tx, subscriberId: number): Promise<void> {
  await tx
    .deleteFrom("consents")
    .where("subscriber_id", "=", subscriberId)
    .where("key", "is not", null)
    .where("confirmed_at", "is", null)
    .execute();
}
