import type { Clock } from "../base/clock.ts";
import type { Db } from "../db/schema.ts";
import type { Edition } from "./store.ts";
import { editionName } from "../base/edition-name.ts";
import { writeAudit } from "../audit/audit.ts";
import type { Wake } from "../queue/contract.ts";
import { parseAnyAddress } from "../base/address.ts";
import { requestSampleMail } from "../subscribers/sample-mail.ts";

/**
 * Mails an editor a sample copy of the coming edition, or of one that is frozen, by the way of all single mails. It is
 * counted, and in the audit log.
 * @param request.edition null for the coming one, as it is when the mail is made
 * @throws Refusal 422 for a wrong address or an unknown tag, 429 for one too many in an hour
 */
export async function mailEdition(
  deps: { db: Db; clock: Clock; wake: Wake; caps: { countTest(actor: string): Promise<void> } },
  request: {
    edition: Pick<Edition, "date" | "number"> | null;
    address: string;
    tags: readonly string[];
    actor: string;
  },
): Promise<void> {
  const { db, clock, wake } = deps;
  parseAnyAddress(request.address);
  await deps.caps.countTest(request.actor);
  const edition = request.edition ? editionName(request.edition) : "next";
  await requestSampleMail({ db, clock, wake }, { address: request.address, tags: request.tags, edition });
  await writeAudit(db, { at: clock.now(), actor: request.actor, action: "edition test", subject: edition });
}
