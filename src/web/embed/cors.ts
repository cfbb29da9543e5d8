import type { FastifyInstance } from "fastify";

/** The routes that the box speaks to, from pages of any origin. */
const open: Record<string, "GET" | "POST"> = {
  "/embed/form": "GET",
  "/challenge": "GET",
  "/subscribe": "POST",
};
const dayInSeconds = 86_400;

/**
 * Lets scripts of any origin use these routes, and read what they answer, failures too. Never with credentials: nothing
 * there depends on who the browser is, so an origin gets no more than it could ask for from a server of its own.
 */
export function openToSites(web: FastifyInstance): void {
  web.addHook("onRequest", async (request, reply) => {
    if (request.routeOptions.url !== undefined && Object.hasOwn(open, request.routeOptions.url)) {
      reply.header("access-control-allow-origin", "*");
    }
  });
  for (const [path, method] of Object.entries(open)) {
    web.options(path, async (_request, reply) =>
      reply
        .code(204)
        .header("access-control-allow-methods", method)
        .header("access-control-allow-headers", "content-type")
        .header("access-control-max-age", dayInSeconds)
        .send(),
    );
  }
}
