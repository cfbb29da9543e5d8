import type { Clock } from "../base/clock.ts";
import type { Db } from "../db/schema.ts";
import type { Edition } from "../editions/store.ts";
import { editionName } from "../editions/name.ts";
import { writeAudit } from "../ops/audit.ts";
import type { Wake } from "../queue/contract.ts";
import { requestSampleMail } from "../subscribers/sample-mail.ts";

/**
 * Mails an editor a sample copy of the coming edition, or of one that is frozen, by the way of all single mails. No
 * cap on it: an editor looks again after each change, and it is in the audit log.
 * @param request.edition null for the coming one, as it is when the mail is made
 * @throws Refusal 422 for a wrong address or an unknown tag
 */
export async function mailEdition(
  deps: { db: Db; clock: Clock; wake: Wake },
  request: {
    edition: Pick<Edition, "date" | "number"> | null;
    address: string;
    tags: readonly string[];
    actor: string;
  },
): Promise<void> {
  const { db, clock, wake } = deps;
  const edition = request.edition ? editionName(request.edition) : "next";
  await requestSampleMail({ db, clock, wake }, { address: request.address, tags: request.tags, edition });
  await writeAudit(db, { at: clock.now(), actor: request.actor, action: "edition test", subject: edition });
}
