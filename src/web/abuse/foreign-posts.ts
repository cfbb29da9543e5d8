import type { FastifyRequest } from "fastify";
import { Refusal } from "../../base/errors.ts";

/** A scheme, a host name of at most 253 characters and a port. Parsing an international name takes quadratic time. */
const longestOrigin = 300;
const own = new Set(["same-origin", "none"]);

/**
 * Refuses what a page of another site makes a browser post to a reader's own pages (OWASP ASVS 5.0, 3.5.1). The token in
 * the address already is the reader's authority; this is for one that got about.
 * @throws Refusal 403
 */
export function refuseForeignPost({ method, headers, host }: FastifyRequest): void {
  if (method === "GET" || method === "HEAD" || method === "OPTIONS") return;
  const site = headers["sec-fetch-site"];
  // Browsers that do not send it send Origin; "null" is what our own pages send under Referrer-Policy: no-referrer.
  const { origin } = headers;
  const foreign =
    site !== undefined ? !own.has(site) : origin !== undefined && origin !== "null" && hostOf(origin) !== host;
  if (foreign) throw new Refusal(403, "foreign_post");
}

function hostOf(origin: string): string | null {
  return origin.length <= longestOrigin && URL.canParse(origin) ? new URL(origin).host : null;
}
