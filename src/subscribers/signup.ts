import type { Clock } from "../base/clock.ts";
import type { Selectable } from "kysely";
import type { Db, Schema } from "../db/schema.ts";
import type { Wake } from "../queue/contract.ts";
import { httpUrl } from "../render/plain.ts";
import { parseTimezone } from "../base/schedule-values.ts";
import { parseAddress } from "../base/address.ts";
import { choose } from "./choice.ts";
import { consentVersion } from "./consent-version.ts";

/** A sign-up that waits to be looked at. */
export type Signup = Selectable<Schema["signups"]>;

export interface SignupRequest {
  /** As typed. */
  address: string;
  /** Names of tags that there are. */
  tags: readonly string[];
  allTags: boolean;
  /** IANA name; null for the publication's. */
  timezone: string | null;
  /** The page the form stood on. */
  formUrl: string | null;
  /** The client's network address. */
  from: string | null;
}

/**
 * Takes what a form posted. Nothing is looked up about the address: new, pending, subscribed or suppressed, each is one
 * insert, so that neither the answer nor its time tells who reads what. `handleSignups` does the rest.
 * @throws Refusal 422 for a wrong address, an unknown tag, nothing to follow, or a wrong time zone
 */
export async function requestSignup(deps: { db: Db; clock: Clock; wake: Wake }, request: SignupRequest): Promise<void> {
  await keepSignup(deps, request, null);
  await deps.wake("handle-signup", {});
}

/** Writes a sign-up down. @param takenAt when the caller means to handle it itself; null leaves it to the job */
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
