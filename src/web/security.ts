import helmet from "@fastify/helmet";
import type { FastifyInstance, FastifyReply } from "fastify";

const pagePolicy = {
  "default-src": ["'none'"],
  "style-src": ["'self'"],
  "img-src": ["'self'"],
  "frame-src": ["'self'"],
  "form-action": ["'self'"],
  "frame-ancestors": ["'none'"],
  "base-uri": ["'none'"],
};

/** The headers of every answer: nothing runs, nothing comes from elsewhere, and no address leaves with a link. */
export function secure(
  web: FastifyInstance,
  { publicUrl, hstsSubdomains }: { publicUrl: string; hstsSubdomains: boolean },
): void {
  web.register(helmet, {
    contentSecurityPolicy: { useDefaults: false, directives: pagePolicy },
    referrerPolicy: { policy: "no-referrer" },
    frameguard: { action: "deny" },
    originAgentCluster: false,
    hsts: publicUrl.startsWith("https://") ? { maxAge: 365 * 24 * 3_600, includeSubDomains: hstsSubdomains } : false,
  });
}

const ownScripts = Object.entries({ ...pagePolicy, "script-src": ["'self'"], "connect-src": ["'self'"] })
  .map(([name, sources]) => `${name} ${sources.join(" ")}`)
  .join("; ");

/** For a page with a form of ours: scripts that this server serves may run, and ask this server. Nothing inline. */
export function allowOwnScripts(reply: FastifyReply): FastifyReply {
  return reply.header("content-security-policy", ownScripts);
}

/** For the HTML of a mail: its own styles and embedded pictures, the logo from here, no script, no form, no request elsewhere. */
export function confineMail(reply: FastifyReply): FastifyReply {
  return reply
    .header(
      "content-security-policy",
      "default-src 'none'; style-src 'unsafe-inline'; img-src data: 'self'; frame-ancestors 'self'; base-uri 'none'; " +
        "form-action 'none'; sandbox allow-popups allow-popups-to-escape-sandbox",
    )
    .header("x-frame-options", "SAMEORIGIN");
}
