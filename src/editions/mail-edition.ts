import { writeAudit } from "../audit/audit.ts";
import { chooseTags } from "../articles/tag-choice.ts";
import type { Clock } from "../base/clock.ts";
import { editionName } from "../base/edition-name.ts";
import { Refusal } from "../base/errors.ts";
import { parseAnyAddress } from "../base/address.ts";
import type { Db } from "../db/schema.ts";
import type { Wake } from "../queue/contract.ts";
import { requestSampleMail } from "../subscribers/request-mail.ts";
import { matchingArticles, sampleOfEdition } from "./sample.ts";
import type { Edition } from "./store.ts";
import { comingSample } from "./upcoming.ts";

/**
 * Sends an editor a sample copy of a frozen edition or of the next one, as a notice. It counts towards the hourly limit
 * and is recorded in the audit log.
 * @param request.edition null for the next one, as it is when the email is created
 * @throws Refusal 422 for a wrong address, an unknown tag or an email without articles, 429 for one too many in an hour
 */
export async function mailEdition(
  deps: { db: Db; clock: Clock; wake: Wake; caps: { countTest(actor: string): Promise<void> } },
  request: {
    edition: Edition | null;
    address: string;
    tags: readonly string[];
    actor: string;
  },
): Promise<void> {
  const { db, clock, wake } = deps;
  parseAnyAddress(request.address);
  const of = request.edition === null ? await comingSample({ db, clock }) : sampleOfEdition(db, request.edition);
  const articles = matchingArticles(await of.articles(), await chooseTags(db, request.tags));
  // An unknown tag has a refusal of its own.
  if (articles.length === 0) throw new Refusal(422, "test_email_empty");
  await deps.caps.countTest(request.actor);
  const edition = request.edition ? editionName(request.edition) : "next";
  await requestSampleMail({ db, clock, wake }, { address: request.address, tags: request.tags, edition });
  await writeAudit(db, { at: clock.now(), actor: request.actor, action: "edition test", subject: edition });
}
