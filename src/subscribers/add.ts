import { existingTags } from "../articles/tag-store.ts";
import { cleanTags } from "../articles/tags.ts";
import type { Clock } from "../base/clock.ts";
import { type Reason, Refusal } from "../base/errors.ts";
import type { Db, Tx } from "../db/schema.ts";
import { writeAudit } from "../audit/audit.ts";
import { parseAddress } from "../base/address.ts";
import { findByAddress, type Subscriber } from "./store.ts";
import { insertSubscribers, type NewSubscriber } from "./insert.ts";
import { erased, findSuppressions, liftErasures, type Suppression } from "./suppressions.ts";
import { sql } from "kysely";
import { addVouchedConsents } from "./consents.ts";
import { addSubscriberTags } from "./preferences.ts";
import { handleSignup, keepSignup, type SignupDeps } from "./signup.ts";

export interface AddDeps {
  db: Db;
  clock: Clock;
  options: { secret: string };
}

/** How and when a reader agreed, from another system's record. */
export interface ConsentRecord {
  /** Such as "double opt-in at shop.example". */
  method: string;
  /** The sentence that was agreed to. */
  wording: string | null;
  at: Date;
  /** The page of the form. */
  formUrl: string | null;
}

export interface AddRequest {
  address: string;
  tags: string[];
  allTags: boolean;
  /** The operator vouches for the reader's consent. Otherwise the reader stays pending and gets no email. */
  confirmed: boolean;
  consent?: ConsentRecord;
  /** IANA name; the publication's when missing. */
  timezone?: string | null;
  actor: string;
}

/**
 * Adds one reader for an operator who has their consent. This also confirms a pending reader.
 * @throws Refusal 422 for a wrong address, unknown or no tags, or a consent in the future; 409 when the address already
 * exists, is suppressed, or was erased after that consent
 */
export async function addSubscriber(deps: AddDeps, request: AddRequest): Promise<Subscriber> {
  const { db, clock } = deps;
  const now = clock.now();
  const consent = request.consent ?? { method: "operator", wording: null, at: now, formUrl: null };
  const agreedAt = request.confirmed ? consent.at : null;
  const { address, key, tags, tagIds } = await checkNewcomer(deps, { ...request, agreedAt });
  if (consent.at > now) throw new Refusal(422, "consent_in_future", { address });
  const newcomer: NewSubscriber = {
    address,
    addressKey: key,
    status: request.confirmed ? "active" : "pending",
    allTags: request.allTags,
    tagIds,
    timezone: request.timezone ?? null,
    confirmedAt: request.confirmed ? now : null,
    consent: { ...consent, tags },
  };
  return db.transaction().execute(async (tx) => {
    const added = await insertSubscribers(tx, [newcomer], now);
    const present = (await findByAddress(tx, key))!;
    if (!added.has(key)) {
      const confirmed = request.confirmed && (await confirmPending(tx, [{ id: present.id, as: newcomer }], now));
      if (!confirmed || !confirmed.has(present.id)) throw thereAlready(address, present);
    }
    await liftErasures(tx, deps.options.secret, [key]);
    await writeAudit(tx, {
      at: now,
      actor: request.actor,
      action: "subscriber add",
      subject: `subscriber ${present.id}`,
    });
    return (await findByAddress(tx, key))!;
  });
}

/**
 * Checks a reader who is to be added or invited.
 * @param request.agreedAt null when unknown
 * @throws Refusal 422 for a wrong address and unknown or no tags; 409 for a suppressed address
 */
async function checkNewcomer(
  { db, options }: Pick<AddDeps, "db" | "options">,
  request: Pick<AddRequest, "address" | "tags" | "allTags"> & { agreedAt: Date | null },
): Promise<{ address: string; key: string; tags: string[]; tagIds: number[] }> {
  const { address, key } = parseAddress(request.address);
  const tags = cleanTags(request.tags);
  if (tags.length === 0 && !request.allTags) throw new Refusal(422, "nothing_followed", { address });
  const tagIds = await existingTags(db, tags);
  const suppression = (await findSuppressions(db, options.secret, [key])).get(key);
  const wrong = whyNotAdded(address, suppression, request.agreedAt);
  if (wrong !== null) throw new Refusal(409, wrong.code, wrong.details);
  return { address, key, tags, tagIds };
}

function thereAlready(address: string, { status }: Subscriber): Refusal {
  return new Refusal(409, "subscriber_exists", { address, status });
}

/**
 * Why an operator cannot add an address; null when they can. After an erasure, only a newer consent counts: an older one,
 * or one without a date, may come from an old list.
 * @param agreedAt null when the time of the consent is unknown
 */
export function whyNotAdded(
  address: string,
  suppression: Suppression | undefined,
  agreedAt: Date | null,
): Reason | null {
  if (suppression === undefined) return null;
  const { reason, since } = suppression;
  if (reason !== erased) return { code: "address_suppressed", details: { address, reason } };
  if (agreedAt !== null && agreedAt >= since) return null;
  const date = since.toISOString().slice(0, 10);
  return { code: "address_erased", details: { address, date } };
}

/** A pending reader, and the subscription that an operator vouches for. */
export interface Vouched {
  id: number;
  as: NewSubscriber;
}

/**
 * Makes pending readers active with the tags that the operator vouches for, not those of an unconfirmed form. Each gets a
 * consent record.
 * @param rows with unique ids
 * @returns the ids of the readers who were still pending
 */
export async function confirmPending(tx: Tx, rows: readonly Vouched[], now: Date): Promise<Set<number>> {
  if (rows.length === 0) return new Set();
  const confirmed = await sql<{ id: number }>`
    update subscribers s set status = 'active', all_tags = v.all_tags, timezone = v.timezone,
      confirmed_at = v.confirmed_at::timestamptz
    from unnest(
      ${rows.map(({ id }) => id)}::bigint[], ${rows.map(({ as }) => as.allTags)}::bool[],
      ${rows.map(({ as }) => as.timezone ?? null)}::text[],
      ${rows.map(({ as }) => (as.confirmedAt ?? now).toISOString())}::text[]
    ) as v(id, all_tags, timezone, confirmed_at)
    where s.id = v.id and s.status = 'pending' returning s.id`.execute(tx);
  const ids = new Set(confirmed.rows.map(({ id }) => id));
  const taken = rows.filter(({ id }) => ids.has(id));
  await sql`delete from subscriber_tags where subscriber_id = any(${[...ids]}::bigint[])`.execute(tx);
  await addSubscriberTags(
    tx,
    taken.map(({ id, as }) => ({ id, tagIds: as.tagIds })),
  );
  await addVouchedConsents(
    tx,
    taken.map(({ id, as }) => ({ ...as, subscriberId: id, confirmedAt: as.confirmedAt ?? now })),
    now,
  );
  return ids;
}

export interface Invitation {
  address: string;
  tags: string[];
  allTags: boolean;
  timezone: string | null;
  /** The page of the form. */
  formUrl: string | null;
  actor: string;
}

/**
 * Signs somebody up for a site's own form or an operator: the mailbox gets a confirmation email, as for any other sign-up.
 * Unlike a reader, the caller learns whether the address is subscribed or suppressed.
 * @throws Refusal 422 for a wrong address and unknown or no tags; 409 for an active or suppressed address; 429 when the
 * address was invited recently
 */
export async function inviteSubscriber(deps: SignupDeps, request: Invitation): Promise<Subscriber> {
  // An erased reader can be invited, because their confirmation will be newer than the erasure.
  const { address, key } = await checkNewcomer(deps, { ...request, agreedAt: deps.clock.now() });
  const present = await findByAddress(deps.db, key);
  if (present?.status === "active") throw thereAlready(address, present);
  await handleSignup(deps, await keepSignup(deps, { ...request, from: null }, deps.clock.now()));
  await deps.wake("send-notices", {});
  const subscriber = await findByAddress(deps.db, key);
  if (!subscriber) throw new Refusal(429, "invited_recently", { address });
  await writeAudit(deps.db, {
    at: deps.clock.now(),
    actor: request.actor,
    action: "subscriber invite",
    subject: `subscriber ${subscriber.id}`,
  });
  return subscriber;
}
