import type { Clock } from "../base/clock.ts";
import { Refusal } from "../base/errors.ts";
import { existingTags } from "../articles/tag-store.ts";
import { cleanTags } from "../articles/tags.ts";
import type { Db } from "../db/schema.ts";
import { writeAudit } from "../ops/audit.ts";
import { parseAddress } from "./address.ts";
import { findByAddress, insertSubscribers, type Subscriber } from "./store.ts";
import { findSuppressed } from "./suppressions.ts";

export interface AddDeps {
  db: Db;
  clock: Clock;
  options: { secret: string };
}

export interface AddRequest {
  address: string;
  tags: string[];
  allTags: boolean;
  /** The operator vouches that this reader asked for it; without it the subscription waits for confirmation. */
  confirmed: boolean;
  actor: string;
}

/**
 * Adds one reader for an operator.
 * @throws Refusal 422 for a wrong address, unknown tags or none at all; 409 when the address is there already or suppressed
 */
export async function addSubscriber(deps: AddDeps, request: AddRequest): Promise<Subscriber> {
  const { db, clock, options } = deps;
  const { address, key } = parseAddress(request.address);
  const tags = cleanTags(request.tags);
  if (tags.length === 0 && !request.allTags) {
    throw new Refusal(422, `${address} needs something to follow: give at least one tag (--tag) or all news (--all-tags).`);
  }
  const tagIds = await existingTags(db, tags);
  const reason = (await findSuppressed(db, options.secret, [key])).get(key);
  if (reason !== undefined) throw new Refusal(409, `${address} is suppressed (${reason}) and must not be mailed.`);
  const now = clock.now();
  return db.transaction().execute(async (tx) => {
    const added = await insertSubscribers(
      tx,
      [
        {
          address,
          addressKey: key,
          status: request.confirmed ? "active" : "pending",
          allTags: request.allTags,
          tagIds,
          confirmedAt: request.confirmed ? now : null,
          consent: { method: "operator", wording: null, tags },
        },
      ],
      now,
    );
    const subscriber = (await findByAddress(tx, key))!;
    if (!added.has(key)) throw new Refusal(409, `${address} is a subscriber already (${subscriber.status}).`);
    await writeAudit(tx, { at: now, actor: request.actor, action: "subscriber add", subject: `subscriber ${subscriber.id}` });
    return subscriber;
  });
}
