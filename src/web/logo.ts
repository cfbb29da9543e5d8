import type { FastifyReply } from "fastify";
import type { Logo } from "../config/logo.ts";
import { fitWithin } from "../config/picture.ts";

/** At the head of a page, in pixels. */
const box = { width: 240, height: 40 };
/** From this width to height a logo is taken for the name, drawn; a squarer one stands beside the name. */
const wordmark = 2.5;

/** What a template shows; see templates/web/name.liquid. */
export interface ShownLogo {
  path: string;
  width: number;
  height: number;
  /** Whether it stands for the name, and not beside it. */
  instead: boolean;
}

export function showLogo(logo: Logo | null): ShownLogo | null {
  if (logo === null) return null;
  return { path: `/assets/${logo.name}`, ...fitWithin(logo, box), instead: logo.width / logo.height >= wordmark };
}

/**
 * Answers with the logo. Opened by itself it is a document of its own, which must do nothing; shown in a mail it comes
 * from another site. A mail sent under an earlier logo asks for that one's name and gets the present one, for an hour.
 */
export function sendLogo(reply: FastifyReply, logo: Logo, name: string): FastifyReply {
  const lasting = name === logo.name ? "public, max-age=31536000, immutable" : "public, max-age=3600";
  return reply
    .header("cache-control", lasting)
    .header("content-security-policy", "default-src 'none'; style-src 'unsafe-inline'; img-src data:; sandbox")
    .header("cross-origin-resource-policy", "cross-origin")
    .type(logo.type)
    .send(logo.content);
}
