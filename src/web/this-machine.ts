import type { FastifyRequest, FastifyInstance } from "fastify";
import type { Config } from "../config/load.ts";
import { isLoopback, leadsToLoopback } from "../config/parse-values.ts";

const proxySigns = ["forwarded", "via", "x-forwarded-for", "x-forwarded-host", "x-real-ip"];

/**
 * Whether a request comes from this machine. The client's address is not enough: another site can resolve its own name to
 * 127.0.0.1 (DNS rebinding), so the Host header must be loopback too, and a proxy on this machine forwards requests of
 * strangers. nginx with default settings sends no header that shows this, and uses this server's name as the host. Before 1.29.7
 * it speaks HTTP/1.0 or closes each connection. Later versions look like any local program, so what must not leave this
 * machine uses `browsedHere`.
 */
export function fromThisMachine({ raw, headers }: FastifyRequest): boolean {
  const name = (headers.host ?? "").replace(/:\d+$/, "").replace(/^\[|\]$/g, "");
  const proxied =
    proxySigns.some((sign) => sign in headers) || raw.httpVersion === "1.0" || headers.connection === "close";
  return !proxied && isLoopback(raw.socket.remoteAddress ?? "") && isLoopback(name);
}

/**
 * Whether this server shows its outbox at all. One with a public address does not: a proxy on this machine cannot be told
 * from its own browser for certain.
 */
export function showsOutbox({ embedded, publicUrl }: Pick<Config, "embedded" | "publicUrl">): boolean {
  return embedded.mail && leadsToLoopback(publicUrl);
}

/** Whether the request comes from a browser on this machine. Browsers send `Connection: keep-alive`, which nginx does not pass on. */
export function browsedHere(request: FastifyRequest): boolean {
  return fromThisMachine(request) && request.headers.connection?.toLowerCase() === "keep-alive";
}

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
function withoutPort(item: string): string {
  return item
    .trim()
    .replace(/^"(.*)"$/, "$1")
    .replace(/^\[([\da-f:.]+)\](?::\d{1,5})?$/i, "$1")
    .replace(/^(\d{1,3}(?:\.\d{1,3}){3}):\d{1,5}$/, "$1");
}
