import { domainOf } from "../base/mail-domain.ts";
import type { Config } from "../config/load.ts";
import { fitWithin, isForMails } from "../config/picture.ts";
import type { MailLogo, Publication } from "./types.ts";

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
    from: config.mailFrom,
    listId: `daily.${domainOf(config.mailFrom.address)}`,
  };
}

function mailLogo({ logo, publicUrl }: Config): MailLogo | null {
  if (logo === null || !isForMails(logo)) return null;
  return { url: `${publicUrl}/assets/${logo.name}`, ...fitWithin(logo, mailLogoBox) };
}
