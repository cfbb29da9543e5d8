import type { Db } from "../db/schema.ts";
import { noSuchReader } from "./preferences.ts";
import { findSubscriber } from "./store.ts";
import { findSuppressed } from "./suppressions.ts";

/**
 * Everything held about a reader, as plain JSON (GDPR Art. 15 and 20).
 * @throws Refusal 404 when there is no such reader
 */
export async function personalData(
  { db, options }: { db: Db; options: { secret: string } },
  id: number,
): Promise<Record<string, unknown>> {
  const reader = await findSubscriber(db, id);
  if (!reader) throw noSuchReader(id);
  const { key: _key, ...subscriber } = reader;
  const addressKey = reader.address.toLowerCase();
  const suppressed = await findSuppressed(db, options.secret, [addressKey]);
  return {
    subscriber,
    suppressed: suppressed.get(addressKey) ?? null,
    consents: await consentsOf(db, id),
    deliveries: await deliveriesOf(db, id),
    otherMails: await noticesOf(db, id, addressKey),
    addressChanges: await db
      .selectFrom("address_changes")
      .select(["address", "created_at as askedAt"])
      .where("subscriber_id", "=", id)
      .orderBy("id")
      .execute(),
    signUps: await db
      .selectFrom("signups")
      .select(["address", "form_url as formUrl", "requested_at as requestedAt", "requested_from as requestedFrom"])
      .where("address_key", "=", addressKey)
      .execute(),
  };
}

function consentsOf(db: Db, id: number) {
  return db
    .selectFrom("consents")
    .select([
      "method",
      "wording",
      "wording_version as wordingVersion",
      "tags",
      "all_tags as allTags",
      "timezone",
      "form_url as formUrl",
      "requested_at as requestedAt",
      "requested_from as requestedFrom",
      "confirmed_at as confirmedAt",
      "confirmed_from as confirmedFrom",
    ])
    .where("subscriber_id", "=", id)
    .orderBy("id")
    .execute();
}

function deliveriesOf(db: Db, id: number) {
  return db
    .selectFrom("deliveries as d")
    .innerJoin("editions as e", "e.id", "d.edition_id")
    .select([
      "e.date as edition",
      "e.number",
      "d.state",
      "d.attempts",
      "d.due_at as dueAt",
      "d.settled_at as settledAt",
      "d.reply",
      (eb) =>
        eb
          .selectFrom("tags")
          .select((tag) => tag.fn.agg<string[] | null>("array_agg", ["tags.name"]).as("names"))
          .where((tag) => tag("tags.id", "=", tag.fn.any("d.tag_ids")))
          .as("tags"),
    ])
    .where("d.subscriber_id", "=", id)
    .orderBy("d.id")
    .execute();
}

/** With the sample copies that were sent to the address before or beside a subscription. */
function noticesOf(db: Db, id: number, addressKey: string) {
  return db
    .selectFrom("notices")
    .select(["kind", "address", "state", "created_at as createdAt", "settled_at as settledAt", "reply"])
    .where((eb) =>
      eb.or([
        eb("subscriber_id", "=", id),
        eb.and([eb("kind", "=", "sample"), eb(eb.fn("lower", ["address"]), "=", addressKey)]),
      ]),
    )
    .orderBy("id")
    .execute();
}
