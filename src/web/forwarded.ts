import type { FastifyInstance } from "fastify";

/**
 * Takes the ports out of X-Forwarded-For before anything asks for the client's address: Azure's gateways write
 * `192.0.2.1:51234` and `[2001:db8::1]:51234`. With its port each connection would count as a client of its own.
 */
export function understandPorts(web: FastifyInstance): void {
  web.addHook("onRequest", (request, _reply, done) => {
    const { headers } = request.raw;
    const given = headers["x-forwarded-for"];
    if (given !== undefined)
      headers["x-forwarded-for"] = [given].flat().join(",").split(",").map(withoutPort).join(",");
    done();
  });
}

/** An address of the list without its port and brackets; a bare IPv6 address has none. */
export function withoutPort(item: string): string {
  return item
    .trim()
    .replace(/^"(.*)"$/, "$1")
    .replace(/^\[([\da-f:.]+)\](?::\d{1,5})?$/i, "$1")
    .replace(/^(\d{1,3}(?:\.\d{1,3}){3}):\d{1,5}$/, "$1");
}
