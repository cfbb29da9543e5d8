import type { Clock } from "../base/clock.ts";
import type { Db } from "../db/schema.ts";
import type { Wake } from "../queue/contract.ts";
import { noSuchTag } from "../articles/tag-store.ts";
import { addNotice } from "./notices.ts";
import type { Subscriber } from "./store.ts";
import { parseAddress, parseAnyAddress } from "../base/address.ts";
import { choose } from "./signup.ts";

export interface SettingsLinkDeps {
  db: Db;
  clock: Clock;
  wake: Wake;
  mayMail(addressKey: string, ticket: undefined, mail: "settings"): Promise<boolean>;
}

/**
 * Emails the link to the preferences to the reader's address, for somebody who has only the List-Unsubscribe link. Does
 * nothing for a suppressed reader and above the caps for one address.
 */
export async function requestSettingsLink(deps: SettingsLinkDeps, reader: Subscriber): Promise<void> {
  if (reader.status === "suppressed") return;
  if (!(await deps.mayMail(reader.address.toLowerCase(), undefined, "settings"))) return;
  await addNotice(deps.db, { kind: "settings", subscriberId: reader.id, address: reader.address }, deps.clock.now());
  await deps.wake("send-notices", {});
}

export interface SampleMailDeps {
  db: Db;
  clock: Clock;
  wake: Wake;
}

/**
 * Sends one sample copy to an address, outside the ledger. Suppressed addresses and those above the cap get nothing. Both
 * are checked when the email is composed, so that the response and its timing do not reveal them.
 * @param request.edition an edition such as `2026-11-24`, or `next`; the newest with the tags when missing
 * @param request.tags names of existing tags; empty for all news
 * @throws Refusal 422 for a wrong address or an unknown tag
 */
export async function requestSampleMail(
  deps: SampleMailDeps,
  request: { address: string; tags: readonly string[]; edition?: string },
): Promise<void> {
  // An editor's mailbox can be on this machine; a reader's address cannot.
  const { address } = (request.edition === undefined ? parseAddress : parseAnyAddress)(request.address);
  const { newTags } = await choose(deps.db, { tags: request.tags, allTags: request.tags.length === 0 });
  if (newTags.length > 0) throw noSuchTag(newTags);
  const payload = { tags: request.tags, ...(request.edition === undefined ? {} : { edition: request.edition }) };
  await addNotice(deps.db, { kind: "sample", subscriberId: null, address, payload }, deps.clock.now());
  await deps.wake("send-notices", {});
}
