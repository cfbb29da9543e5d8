import { domainOf } from "../base/mail-domain.ts";
import type { EditionName, Publication } from "./types.ts";

/**
 * Gmail's Feedback-ID, `a:b:c:Sender` (support.google.com/a/answer/6254652): the edition, the kind of mail, the list,
 * and a sender of 5 to 15 characters that stays the same. Nothing in it points at one reader.
 */
export function feedbackId(publication: Publication, edition: EditionName): string {
  const domain = domainOf(publication.from.address);
  const sender = domain
    .replace(/[^a-z0-9]/gi, "")
    .toLowerCase()
    .slice(0, 15);
  const list = publication.listId.replace(/[^\w.-]/g, "").slice(0, 60);
  return `${edition.date}-${edition.number}:edition:${list}:${sender.length < 5 ? `${sender}dayletter`.slice(0, 15) : sender}`;
}
