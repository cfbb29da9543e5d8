import { sortTags } from "../articles/tag-store.ts";
import { cleanTag, cleanTags } from "../articles/tags.ts";
import { echo, reasonOf, Refusal } from "../base/errors.ts";
import type { Db, Schema, Tx } from "../db/schema.ts";
import type { Clock } from "../base/clock.ts";
import { type Selectable, sql } from "kysely";
import type { Wake } from "../queue/contract.ts";
import { httpUrl } from "../render/plain.ts";
import { parseTimezone } from "../base/schedule-values.ts";
import { parseAddress } from "../base/address.ts";
import type { Log } from "../base/log.ts";
import type { Wording } from "../texts/catalogue.ts";
import { addConsent } from "./consents.ts";
import { addNotice } from "./notices.ts";
import { lockAddresses } from "./lock.ts";
import { findByAddress, type Subscriber } from "./store.ts";
import { replaceTags } from "./preferences.ts";
import { insertPending } from "./insert.ts";
import { findSuppressed, isForGood } from "./suppressions.ts";

const mostTags = 500;

/** Tags of one reader that no article has had yet. */
const mostNewTags = 30;

/** What a reader chose, without hidden tags: a form on an article page can contain those besides others. */
export interface Choice {
  tagIds: number[];
  /** Names of tags that no article has had yet. Whether another reader follows one is not told apart. */
  newTags: string[];
}

/**
 * Checks what a reader chose. Creates no tags: an unconfirmed request must not.
 * @throws Refusal 422 for a name that cannot be a tag, no tag, only hidden tags, and too many tags; `unknown` in its details lists
 * those that must be left out
 */
export async function choose(db: Db | Tx, choice: { tags: readonly string[]; allTags: boolean }): Promise<Choice> {
  const names = choice.tags.filter((name) => name.trim() !== "");
  if (names.length > mostTags) {
    throw new Refusal(422, "too_many_tags", { most: mostTags });
  }
  const clean = names.map((name) => cleanTag(name) ?? refuse("tag_not_a_name", [name]));
  const { offered, hidden, requested, unknown } = await sortTags(db, clean);
  const newTags = cleanTags(
    clean.filter((name) => requested.has(name) || unknown.includes(name)),
    Infinity,
  );
  if (newTags.length > mostNewTags) {
    throw new Refusal(422, "too_many_new_tags", { most: mostNewTags, unknown: newTags.slice(mostNewTags) });
  }
  if (offered.size === 0 && newTags.length === 0 && !choice.allTags) {
    if (hidden.size > 0) refuse("tag_hidden", [...hidden.keys()]);
    throw new Refusal(422, "no_tag_chosen");
  }
  return { tagIds: [...new Set(offered.values())], newTags };
}

function refuse(code: "tag_hidden" | "tag_not_a_name", unknown: readonly string[]): never {
  const shown = unknown.slice(0, 5).map((name) => `"${echo(name)}"`);
  throw new Refusal(422, code, { tags: shown.join(", "), unknown });
}

/**
 * The version of `consent.wording`, the sentence that a reader agrees to. The consent record keeps the sentence as it was
 * shown (GDPR Art. 7(1)). Change the version with every change of that text.
 */
const consentVersion = "2026-11-26";

/** A sign-up that waits to be processed. */
export type Signup = Selectable<Schema["signups"]>;

export interface SignupRequest {
  /** As typed. */
  address: string;
  /** Also of tags that no article has had yet. */
  tags: readonly string[];
  allTags: boolean;
  /** IANA name; null for the publication's. */
  timezone: string | null;
  /** The page of the form. */
  formUrl: string | null;
  /** The client's network address. */
  from: string | null;
}

/**
 * Accepts a sign-up form. The address is not looked up: every sign-up is one insert, so that the response and its timing do
 * not reveal who is subscribed. `handleSignups` does the rest.
 * @throws Refusal 422 for a wrong address, a wrong choice of tags, or a wrong time zone
 */
export async function requestSignup(deps: { db: Db; clock: Clock; wake: Wake }, request: SignupRequest): Promise<void> {
  await keepSignup(deps, request, null);
  await deps.wake("handle-signup", {});
}

/** Stores a sign-up. @param takenAt set if the caller processes it; null leaves it to the job */
export async function keepSignup(
  { db, clock }: { db: Db; clock: Clock },
  request: SignupRequest,
  takenAt: Date | null,
): Promise<Signup> {
  const { address, key } = parseAddress(request.address);
  const { tagIds, newTags } = await choose(db, request);
  const timezone = request.timezone === null || request.timezone === "" ? null : parseTimezone(request.timezone);
  return db
    .insertInto("signups")
    .values({
      address,
      address_key: key,
      tag_ids: tagIds,
      new_tags: newTags,
      all_tags: request.allTags,
      timezone,
      form_url: request.formUrl === null ? null : httpUrl(request.formUrl),
      wording_version: consentVersion,
      requested_at: clock.now(),
      requested_from: request.from,
      taken_at: takenAt,
    })
    .returningAll()
    .executeTakeFirstOrThrow();
}

export interface SignupDeps {
  db: Db;
  clock: Clock;
  log: Log;
  wake: Wake;
  options: { secret: string; publicationName: string };
  /** In the language of the form. */
  words: Pick<Wording, "say">;
  /** Whether an unconfirmed address can get another email. */
  mayMail?(addressKey: string, ticket: string): Promise<boolean>;
}

const atATime = 100;
const takenMs = 60_000;

/** Processes all waiting sign-ups. Several processes can run it at once; each sign-up is claimed by one. */
export async function handleSignups(deps: SignupDeps): Promise<void> {
  for (;;) {
    const taken = await takeSignups(deps.db, deps.clock.now());
    for (const signup of taken) {
      await handleSignup(deps, signup).catch((error: unknown) => {
        // It stays in the table for the recovery job and must not block the others.
        deps.log.error({ signup: signup.id, reason: reasonOf(error) }, "could not process sign-up");
      });
    }
    if (taken.length === 0) return;
    await deps.wake("send-notices", {});
  }
}

/** Claims unclaimed sign-ups for this process. */
async function takeSignups(db: Db, now: Date): Promise<Signup[]> {
  const { rows } = await sql<Signup>`
    with free as (
      select id from signups where coalesce(taken_at < ${new Date(now.getTime() - takenMs)}, true)
      order by id limit ${atATime} for update skip locked
    )
    update signups s set taken_at = ${now} from free where s.id = free.id returning s.*`.execute(db);
  return rows.toSorted((a, b) => a.id - b.id);
}

/**
 * Processes a sign-up and sends the result only to the mailbox: a subscriber learns that they are already subscribed,
 * everybody else is asked to confirm, and an address that has complained gets nothing.
 */
export async function handleSignup(deps: SignupDeps, signup: Signup): Promise<void> {
  const may = deps.mayMail ? await deps.mayMail(signup.address_key, `signup-${signup.id}`) : true;
  const done = await deps.db.transaction().execute(async (tx) => {
    const taken = await tx.deleteFrom("signups").where("id", "=", signup.id).executeTakeFirst();
    if (taken.numDeletedRows === 0n) return "claimed_elsewhere";
    if (!may) return "rate_limited";
    return answer(deps, tx, signup);
  });
  deps.log.info({ signup: signup.id, done }, "sign-up processed");
}

async function answer(deps: SignupDeps, tx: Tx, signup: Signup): Promise<string> {
  const { options, clock } = deps;
  const now = clock.now();
  const reason = (await findSuppressed(tx, options.secret, [signup.address_key])).get(signup.address_key);
  if (reason !== undefined && isForGood(reason)) return "complained_before";
  const reader = await readerWith(tx, signup, now);
  const subscriberId = reader.id;
  if (reader.status === "active" && reader.pausedSince === null && reason === undefined) {
    await addNotice(tx, { kind: "already", subscriberId, address: reader.address }, now);
    return "already_subscribed";
  }
  if (reader.status === "pending") {
    await replaceTags(tx, subscriberId, { allTags: signup.all_tags, tagIds: signup.tag_ids });
  }
  const consentId = await addConsent(tx, subscriberId, {
    method: "form",
    wording: deps.words.say("consent.wording", { publication: options.publicationName }),
    wordingVersion: signup.wording_version,
    tags: [...(await namesOf(tx, signup.tag_ids)), ...signup.new_tags],
    tagIds: signup.tag_ids,
    allTags: signup.all_tags,
    timezone: signup.timezone,
    formUrl: signup.form_url,
    requestedAt: signup.requested_at,
    requestedFrom: signup.requested_from,
  });
  await addNotice(tx, { kind: "confirm", subscriberId, address: signup.address, consentId }, now);
  return "asked_to_confirm";
}

/**
 * The reader with the address, or a new one. Waits for a concurrent import or confirmation, because a form must not change
 * the tags of a confirmed reader.
 */
async function readerWith(tx: Tx, { address, address_key: addressKey }: Signup, now: Date): Promise<Subscriber> {
  if ((await lockAddresses(tx, [addressKey])) === 0) {
    await insertPending(tx, { address, addressKey }, now);
    await lockAddresses(tx, [addressKey]);
  }
  return (await findByAddress(tx, addressKey))!;
}

async function namesOf(tx: Tx, tagIds: readonly number[]): Promise<string[]> {
  const { rows } = await sql<{ name: string }>`select name from tags where id = any(${tagIds}) order by key`.execute(
    tx,
  );
  return rows.map((row) => row.name);
}
