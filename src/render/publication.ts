import { domainOf } from "../base/address.ts";
import type { Config } from "../config/load.ts";
import { fitWithin, isForMails } from "../config/logo.ts";
import type { MailLogo, Publication, PublicationLink, EditionName } from "./types.ts";
import { oneLine } from "../base/text.ts";
import { clip } from "./plain.ts";
import { publicationName } from "./values.ts";
import { openWording } from "../texts/catalogue.ts";

/** Pixels. */
const mailLogoBox = { width: 280, height: 48 };

/** The publication as emails show it, from the settings. */
export function publicationOf(config: Config): Publication {
  return {
    name: config.publicationName,
    publicUrl: config.publicUrl,
    postalAddress: config.postalAddress,
    language: config.language,
    accentColour: config.accentColour,
    logo: mailLogo(config),
    pictures: config.pictures,
    links: linksOf(config),
    from: config.mailFrom,
    listId: `daily.${domainOf(config.mailFrom.address)}`,
  };
}

/** The publisher's pages that are set, as emails, pages and the sign-up box link to them. */
function linksOf({ language, privacyUrl, imprintUrl }: Config): PublicationLink[] {
  const { say } = openWording(language);
  return [
    { label: say("publication.privacy"), url: privacyUrl },
    { label: say("publication.imprint"), url: imprintUrl },
  ].flatMap(({ label, url }) => (url === null ? [] : [{ label, url }]));
}

function mailLogo({ logo, publicUrl }: Config): MailLogo | null {
  if (logo === null || !isForMails(logo)) return null;
  return { url: `${publicUrl}/assets/${logo.name}`, ...fitWithin(logo, mailLogoBox) };
}

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
