import { requestTags } from "../articles/tag-store.ts";
import type { Clock } from "../base/clock.ts";
import { Refusal } from "../base/errors.ts";
import type { Log } from "../base/log.ts";
import type { Db } from "../db/schema.ts";
import type { Wake } from "../queue/contract.ts";
import { consentByKey, type Consent } from "./consents.ts";
import { addNotice } from "./notices.ts";
import { closeQuestion } from "./questions.ts";
import { findSubscriber, type Subscriber } from "./store.ts";
import { replaceTags } from "./preferences.ts";
import { findSuppressed, isForGood, liftSuppression } from "./suppressions.ts";
import { readExpiringToken } from "./tokens.ts";

export interface ConfirmDeps {
  db: Db;
  clock: Clock;
  log: Log;
  wake: Wake;
  options: { secret: string };
}

/**
 * The request of a confirmation link, for its page. Changes nothing, because link scanners open every link.
 * @returns null for an invalid token, or one whose request was erased
 * @throws Refusal 410 for an expired link
 */
export async function readConfirmation(
  deps: Pick<ConfirmDeps, "db" | "clock" | "options">,
  token: string,
): Promise<{ tags: string[]; allTags: boolean; confirmed: boolean } | null> {
  const consent = await consentOf(deps, token);
  return consent && { tags: consent.tags, allTags: consent.allTags, confirmed: consent.confirmedAt !== null };
}

/**
 * Confirms a sign-up: the reader becomes active with the tags of that request, and a suppression that is not permanent is
 * lifted. Confirming twice changes nothing.
 * @param from the client's network address, for the consent record
 * @throws Refusal 404 for an invalid token, 410 for an expired one, 403 for an address that has complained
 */
export async function confirm(deps: ConfirmDeps, token: string, from: string | null): Promise<Subscriber> {
  const found = await consentOf(deps, token);
  if (!found) throw unknownLink();
  const { db, clock, options } = deps;
  const subscriber = await db.transaction().execute(async (tx) => {
    const row = await tx
      .selectFrom("subscribers")
      .select(["id", "address", "address_key", "status"])
      .where("id", "=", found.subscriberId)
      .forUpdate()
      .executeTakeFirst();
    const consent = await tx
      .selectFrom("consents")
      .select("confirmed_at")
      .where("id", "=", found.id)
      .executeTakeFirst();
    if (!row || !consent) throw unknownLink();
    if (consent.confirmed_at !== null) return null;
    const reason = (await findSuppressed(tx, options.secret, [row.address_key])).get(row.address_key);
    if (reason !== undefined && isForGood(reason)) {
      throw new Refusal(403, "confirm_complained");
    }
    const now = clock.now();
    await liftSuppression(tx, options.secret, row.address_key);
    await tx
      .updateTable("subscribers")
      .set({
        status: "active",
        timezone: found.timezone,
        paused_until: null,
        paused_since: null,
        paused_for: null,
        confirmed_at: now,
        left_at: null,
      })
      .where("id", "=", row.id)
      .execute();
    await closeQuestion(tx, row.id, "kept", now);
    // By name, so that tags which were merged since are found, and those that no article has had yet.
    const tagIds = [...new Set((await requestTags(tx, now, found.tags)).values())];
    await replaceTags(tx, row.id, { allTags: found.allTags, tagIds });
    await tx
      .updateTable("consents")
      .set({ confirmed_at: now, confirmed_from: from })
      .where("id", "=", found.id)
      .execute();
    await addNotice(tx, { kind: "welcome", subscriberId: row.id, address: row.address }, now);
    return row.id;
  });
  if (subscriber !== null) {
    deps.log.info({ subscriber }, "reader confirmed");
    await deps.wake("send-notices", {});
  }
  const reader = await findSubscriber(db, found.subscriberId);
  if (!reader) throw unknownLink();
  return reader;
}

function unknownLink(): Refusal {
  return new Refusal(404, "confirm_link_invalid");
}

async function consentOf(
  { db, clock, options }: Pick<ConfirmDeps, "db" | "clock" | "options">,
  token: string,
): Promise<Consent | null> {
  const read = readExpiringToken(options.secret, "confirm", token);
  const consent = read && (await consentByKey(db, read.key));
  if (!consent) return null;
  if (read.expiresAt > clock.now()) return consent;
  throw new Refusal(410, consent.confirmedAt === null ? "confirm_link_expired" : "confirm_link_used");
}
