import type { Clock } from "../base/clock.ts";
import type { Selectable } from "kysely";
import type { Db, Schema } from "../db/schema.ts";
import type { Wake } from "../queue/contract.ts";
import { httpUrl } from "../render/plain.ts";
import { parseTimezone } from "../base/schedule-values.ts";
import { parseAddress } from "../base/address.ts";
import { choose } from "./choice.ts";
import { consentVersion } from "./consent-version.ts";

/** A sign-up that waits to be processed. */
export type Signup = Selectable<Schema["signups"]>;

export interface SignupRequest {
  /** As typed. */
  address: string;
  /** Names of existing tags. */
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
 * @throws Refusal 422 for a wrong address, an unknown tag, no tags, or a wrong time zone
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
  const { tagIds } = await choose(db, request);
  const timezone = request.timezone === null || request.timezone === "" ? null : parseTimezone(request.timezone);
  return db
    .insertInto("signups")
    .values({
      address,
      address_key: key,
      tag_ids: tagIds,
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
