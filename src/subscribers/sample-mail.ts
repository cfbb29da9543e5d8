import type { Clock } from "../base/clock.ts";
import type { Db } from "../db/schema.ts";
import type { Wake } from "../queue/contract.ts";
import { parseAddress, parseAnyAddress } from "../base/address.ts";
import { choose } from "./choice.ts";
import { addNotice } from "./notices.ts";

export interface SampleMailDeps {
  db: Db;
  clock: Clock;
  wake: Wake;
}

/**
 * Sends one sample copy to an address, outside the ledger. A suppressed one, and one that has had its share, get nothing.
 * Which they are is looked at when the mail is made, so that neither the answer nor its time tells.
 * @param request.edition of this one, such as `2026-11-24`, or of the coming one, `next`; else of the newest with the tags
 * @param request.tags names of tags that there are; none for all news
 * @throws Refusal 422 for a wrong address or an unknown tag
 */
export async function requestSampleMail(
  deps: SampleMailDeps,
  request: { address: string; tags: readonly string[]; edition?: string },
): Promise<void> {
  // An editor's own mailbox may be on this machine; what readers type may not.
  const { address } = (request.edition === undefined ? parseAddress : parseAnyAddress)(request.address);
  await choose(deps.db, { tags: request.tags, allTags: request.tags.length === 0 });
  const payload = { tags: request.tags, ...(request.edition === undefined ? {} : { edition: request.edition }) };
  await addNotice(deps.db, { kind: "sample", subscriberId: null, address, payload }, deps.clock.now());
  await deps.wake("send-notices", {});
}
