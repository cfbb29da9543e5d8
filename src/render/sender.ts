import { domainOf } from "../base/mail-domain.ts";
import { clip, oneLine } from "./plain.ts";
import type { EditionName, Publication } from "./types.ts";
import { publicationName } from "./values.ts";

/** The sender in the header, from the settings at the time of sending, not of rendering. */
export interface Sender {
  from: { name: string; address: string };
  listId: { name: string; id: string };
  feedbackId: string;
}

const nameLimit = 150;

export function senderOf(publication: Publication, edition: EditionName): Sender {
  return { ...identityOf(publication), feedbackId: feedbackId(publication, edition) };
}

/** The same for any email of the publication. */
export function identityOf(publication: Publication): Pick<Sender, "from" | "listId"> {
  const { name, address } = publication.from;
  return {
    from: { name: clip(oneLine(name), nameLimit), address },
    listId: { name: publicationName(publication), id: publication.listId },
  };
}

/**
 * Gmail's Feedback-ID, `a:b:c:Sender` (support.google.com/a/answer/6254652): the edition, the kind of email, the list,
 * and a constant sender of 5 to 15 characters. It does not identify a reader.
 */
function feedbackId(publication: Publication, edition: EditionName): string {
  const domain = domainOf(publication.from.address);
  const sender = domain
    .replace(/[^a-z0-9]/gi, "")
    .toLowerCase()
    .slice(0, 15);
  const list = publication.listId.replace(/[^\w.-]/g, "").slice(0, 60);
  return `${edition.date}-${edition.number}:edition:${list}:${sender.length < 5 ? `${sender}dayletter`.slice(0, 15) : sender}`;
}
