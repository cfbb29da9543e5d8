import { sql } from "kysely";
import type { Clock } from "../base/clock.ts";
import { reasonOf } from "../base/errors.ts";
import type { Log } from "../base/log.ts";
import type { Wording } from "../wording/catalogue.ts";
import type { Db, Tx } from "../db/schema.ts";
import type { Wake } from "../queue/contract.ts";
import { addConsent } from "./consents.ts";
import { addNotice } from "./notices.ts";
import type { Signup } from "./signup.ts";
import { findByAddress, lockReader, type Subscriber } from "./store.ts";
import { replaceTags } from "./followed-tags.ts";
import { insertPending } from "./insert.ts";
import { findSuppressed, isForGood } from "./suppressions.ts";

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
    if (taken.numDeletedRows === 0n) return "claimed by another process";
    if (!may) return "rate limited";
    return answer(deps, tx, signup);
  });
  deps.log.info({ signup: signup.id, done }, "sign-up processed");
}

async function answer(deps: SignupDeps, tx: Tx, signup: Signup): Promise<string> {
  const { options, clock } = deps;
  const now = clock.now();
  const reason = (await findSuppressed(tx, options.secret, [signup.address_key])).get(signup.address_key);
  if (reason !== undefined && isForGood(reason)) return "complained before";
  const reader = await readerWith(tx, signup, now);
  const subscriberId = reader.id;
  if (reader.status === "active" && reason === undefined) {
    await addNotice(tx, { kind: "already", subscriberId, address: reader.address }, now);
    return "already subscribed";
  }
  if (reader.status === "pending") {
    await replaceTags(tx, subscriberId, { allTags: signup.all_tags, tagIds: signup.tag_ids });
  }
  const consentId = await addConsent(tx, subscriberId, {
    method: "form",
    wording: deps.words.say("consent.wording", { publication: options.publicationName }),
    wordingVersion: signup.wording_version,
    tags: await namesOf(tx, signup.tag_ids),
    tagIds: signup.tag_ids,
    allTags: signup.all_tags,
    timezone: signup.timezone,
    formUrl: signup.form_url,
    requestedAt: signup.requested_at,
    requestedFrom: signup.requested_from,
  });
  await addNotice(tx, { kind: "confirm", subscriberId, address: signup.address, consentId }, now);
  return "asked to confirm";
}

/**
 * The reader with the address, or a new one. Waits for a concurrent import or confirmation, because a form must not change
 * the tags of a confirmed reader.
 */
async function readerWith(tx: Tx, { address, address_key: addressKey }: Signup, now: Date): Promise<Subscriber> {
  if (!(await lockReader(tx, addressKey))) {
    await insertPending(tx, { address, addressKey }, now);
    await lockReader(tx, addressKey);
  }
  return (await findByAddress(tx, addressKey))!;
}

async function namesOf(tx: Tx, tagIds: readonly number[]): Promise<string[]> {
  const { rows } = await sql<{ name: string }>`select name from tags where id = any(${tagIds}) order by key`.execute(
    tx,
  );
  return rows.map((row) => row.name);
}
