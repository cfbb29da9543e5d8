import type { FastifyInstance } from "fastify";
import type { App } from "../../app.ts";
import { Refusal } from "../../base/errors.ts";
import { demandRole, type Actor } from "../../operators/roles.ts";
import { findToken } from "../../operators/tokens.ts";
import { actingFrom } from "../../audit/audit.ts";
import { limitFailures } from "../limits.ts";

declare module "fastify" {
  interface FastifyRequest {
    /** Name of the request's token. */
    actor: string;
  }
}

const failuresPerMinute = 30;

/**
 * Accepts only requests with a valid token (RFC 6750) that has the role in the route's `config.role`, by default owner. Tokens
 * are looked up by their hash, so the response time reveals nothing about them.
 */
export function demandToken(web: FastifyInstance, { db, clock }: Pick<App, "db" | "clock">): void {
  const countFailure = limitFailures(web, failuresPerMinute);
  web.decorateRequest("actor", "");
  web.decorateRequest("operator", null as unknown as Actor);
  web.addHook("onRequest", async (request, reply) => {
    reply.header("cache-control", "no-store");
    const token = /^Bearer +([\w.~+/=-]{1,500})$/i.exec(request.headers.authorization ?? "")?.[1];
    const actor = token === undefined ? null : await findToken(db, token, clock.now());
    if (actor === null) {
      await countFailure(request);
      reply.header("www-authenticate", token === undefined ? "Bearer" : 'Bearer error="invalid_token"');
      const what = token === undefined ? "This address needs a token" : "The token is not one of this server's";
      throw new Refusal(
        401,
        `${what}: send "Authorization: Bearer TOKEN", with one that \`dayletter tokens add\` made, that of DAYLETTER_TOKEN, or that of the file "token" in DATA_DIR.`,
      );
    }
    request.actor = actor.name;
    request.operator = actor;
    const { role = "owner" } = request.routeOptions.config;
    if (role === "anyone") return;
    try {
      demandRole(actor, role);
    } catch (error) {
      reply.header("www-authenticate", 'Bearer error="insufficient_scope"');
      throw error;
    }
  });
  web.addHook("preHandler", (request, _reply, done) => actingFrom(request.ip, done));
}
