import { existingTags } from "../articles/tag-store.ts";
import { cleanTags } from "../articles/tags.ts";
import type { Clock } from "../base/clock.ts";
import { Refusal } from "../base/errors.ts";
import type { Db } from "../db/schema.ts";
import { writeAudit } from "../audit/audit.ts";
import { parseAddress } from "../base/address.ts";
import { confirmPending } from "./confirm-pending.ts";
import { findByAddress, type Subscriber } from "./store.ts";
import { insertSubscribers, type NewSubscriber } from "./insert.ts";
import { whyNotAdded } from "./may-be-added.ts";
import { findSuppressions, liftErasures } from "./suppressions.ts";

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
export async function checkNewcomer(
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

export function thereAlready(address: string, { status }: Subscriber): Refusal {
  return new Refusal(409, "subscriber_exists", { address, status });
}
