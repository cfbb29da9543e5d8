import type { FastifyInstance } from "fastify";
import { Refusal } from "../base/errors.ts";

const guarded = /^\/(operator|api\/v1)(\/|$)/;

/**
 * What is below /operator and /api/v1 cannot be open by mistake: a route there that names no `config.role` keeps the
 * server from starting, and one that stands outside the scopes that check it answers nobody.
 */
export function insistOnRoles(web: FastifyInstance): void {
  web.addHook("onRoute", ({ method, url, config }) => {
    if (!guarded.test(url) || config?.role !== undefined) return;
    throw new Error(`${String(method)} ${url} names no config.role: viewer, editor, owner or anyone.`);
  });
  // The scopes' own onRequest hooks come before it, and have found out who asks.
  web.addHook("preHandler", async (request) => {
    const { url = "", config } = request.routeOptions;
    if (!guarded.test(url) || config.role === "anyone" || request.operator) return;
    throw new Refusal(401, "This address does not know who asks, and so answers nobody.");
  });
}
