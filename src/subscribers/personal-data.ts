import type { ExpressionBuilder } from "kysely";
import type { Db, Schema } from "../db/schema.ts";
import { noSuchReader } from "./preferences.ts";
import { questionsOf } from "./questions.ts";
import { findSubscriber } from "./store.ts";
import { addressHash } from "./tokens.ts";

/**
 * All data about a reader as plain JSON (GDPR Art. 15 and 20), without the keys of links.
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
  return {
    subscriber,
    lastChange: await lastChangeOf(db, id),
    suppressed: (await suppressionOf(db, addressHash(options.secret, addressKey))) ?? null,
    consents: await consentsOf(db, id),
    deliveries: await deliveriesOf(db, id),
    bouncesAndComplaints: await laterOutcomesOf(db, id),
    otherMails: await noticesOf(db, id, addressKey),
    questions: await questionsOf(db, id),
    addressChanges: await addressChangesOf(db, id),
    signUps: await signUpsOf(db, addressKey),
    actsOfOperators: await actsOn(db, id),
  };
}

/** When the reader last changed something themselves. */
async function lastChangeOf(db: Db, id: number): Promise<Date | null> {
  const row = await db.selectFrom("subscribers").select("acted_at as at").where("id", "=", id).executeTakeFirst();
  return row?.at ?? null;
}

function suppressionOf(db: Db, hash: Buffer) {
  return db
    .selectFrom("suppressions")
    .select(["reason", "detail", "created_at as since"])
    .where("address_hash", "=", hash)
    .executeTakeFirst();
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
      "d.domain",
      "d.state",
      "d.attempts",
      "d.leaves_at as leavesAt",
      "d.due_at as dueAt",
      "d.claimed_at as takenAt",
      "d.settled_at as settledAt",
      "d.reason_code as reason",
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

/** What became of emails after the relay had accepted them. */
function laterOutcomesOf(db: Db, id: number) {
  return db
    .selectFrom("delivery_outcomes as o")
    .innerJoin("deliveries as d", (join) =>
      join.onRef("d.edition_id", "=", "o.edition_id").onRef("d.id", "=", "o.delivery_id"),
    )
    .innerJoin("editions as e", "e.id", "o.edition_id")
    .select([
      "e.date as edition",
      "e.number",
      "o.outcome",
      "o.kind",
      "o.code",
      "o.text",
      "o.source",
      "o.guess",
      "o.happened_at as happenedAt",
      "o.recorded_at as recordedAt",
    ])
    .where("d.subscriber_id", "=", id)
    .orderBy("o.edition_id")
    .orderBy("o.outcome")
    .execute();
}

/** Includes sample copies to the address, which have no subscriber. */
function noticesOf(db: Db, id: number, addressKey: string) {
  return db
    .selectFrom("notices")
    .select([
      "kind",
      "address",
      "payload as about",
      "state",
      "attempts",
      "created_at as createdAt",
      "due_at as dueAt",
      "expires_at as expiresAt",
      "claimed_at as takenAt",
      "settled_at as settledAt",
      "reason_code as reason",
      "reply",
    ])
    .where((eb) =>
      eb.or([
        eb("subscriber_id", "=", id),
        eb.and([eb("kind", "=", "sample"), eb(eb.fn("lower", ["address"]), "=", addressKey)]),
      ]),
    )
    .orderBy("id")
    .execute();
}

function addressChangesOf(db: Db, id: number) {
  return db
    .selectFrom("address_changes")
    .select(["address", "created_at as askedAt", "requested_from as requestedFrom"])
    .where("subscriber_id", "=", id)
    .orderBy("id")
    .execute();
}

/** Sign-ups that are not processed yet. */
function signUpsOf(db: Db, addressKey: string) {
  return db
    .selectFrom("signups")
    .select([
      "address",
      "all_tags as allTags",
      "timezone",
      "form_url as formUrl",
      "wording_version as wordingVersion",
      "requested_at as requestedAt",
      "requested_from as requestedFrom",
      (eb: ExpressionBuilder<Schema, "signups">) =>
        eb
          .selectFrom("tags")
          .select((tag) => tag.fn.agg<string[] | null>("array_agg", ["tags.name"]).as("names"))
          .where((tag) => tag("tags.id", "=", tag.fn.any("signups.tag_ids")))
          .as("tags"),
      "new_tags as newTags",
    ])
    .where("address_key", "=", addressKey)
    .orderBy("id")
    .execute();
}

/** Without the operator's name, which is another person's data. */
function actsOn(db: Db, id: number) {
  return db
    .selectFrom("audit")
    .select(["action", "at"])
    .where("subject", "=", `subscriber ${id}`)
    .orderBy("id")
    .execute();
}
