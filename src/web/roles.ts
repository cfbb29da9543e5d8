import type { FastifyInstance, RouteOptions } from "fastify";
import { Refusal } from "../base/errors.ts";

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
    throw new Refusal(401, "This address does not know who asks, and so answers nobody.");
  });
}
