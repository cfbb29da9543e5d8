import helmet from "@fastify/helmet";
import type { FastifyInstance, FastifyReply, RouteOptions } from "fastify";
import { Refusal } from "../base/errors.ts";

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

/**
 * For the HTML of a mail: its own styles and embedded pictures, the logo from here, no script, no form, no request elsewhere.
 * @param pictures whether the mail has pictures of articles, which come from other sites
 */
export function confineMail(reply: FastifyReply, pictures = false): FastifyReply {
  return reply
    .header(
      "content-security-policy",
      `default-src 'none'; style-src 'unsafe-inline'; img-src data: 'self'${pictures ? " https:" : ""}; frame-ancestors 'self'; base-uri 'none'; ` +
        "form-action 'none'; sandbox allow-popups allow-popups-to-escape-sandbox",
    )
    .header("x-frame-options", "SAMEORIGIN");
}

const guarded = /^\/(operator|api\/v1)(\/|$)/;

/**
 * What is below /operator and /api/v1 cannot be open by mistake: a route there that names no `config.role` keeps the
 * server from starting, and one that stands outside the scopes that check it answers nobody.
 */
export function insistOnRoles(web: FastifyInstance): void {
  const routes: RouteOptions[] = [];
  web.addHook("onRoute", (route) => {
    if (guarded.test(route.url)) routes.push(route);
  });
  // Not before all are there, for a scope may name the role of another package's routes by a hook of its own.
  web.addHook("onReady", async () => {
    const unnamed = routes.filter(({ config }) => config?.role === undefined);
    if (unnamed.length === 0) return;
    const list = unnamed.map(({ method, url }) => `${String(method)} ${url}`).join(", ");
    throw new Error(`Each route must name its config.role, viewer, editor, owner or anyone: ${list}.`);
  });
  // The scopes' own onRequest hooks come before it, and have found out who asks.
  web.addHook("preHandler", async (request) => {
    const { url = "", config } = request.routeOptions;
    if (!guarded.test(url) || config.role === "anyone" || request.operator) return;
    throw new Refusal(401, "authentication_required");
  });
}
