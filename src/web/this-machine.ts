import type { FastifyRequest } from "fastify";
import type { Config } from "../config/load.ts";
import { isLoopback, leadsToLoopback } from "../config/readers.ts";

const proxySigns = ["forwarded", "via", "x-forwarded-for", "x-forwarded-host", "x-real-ip"];

/**
 * Whether somebody on this machine asks, which the client's address alone does not tell. A page elsewhere can point a name
 * of its own at 127.0.0.1 and read what it finds there (DNS rebinding), so the name asked for must be loopback too; and
 * a proxy asks from this machine for somebody else. nginx as it comes says so in no header, and names this server as the one
 * asked for. Before 1.29.7 it speaks HTTP/1.0 or closes each connection; from then on it looks like any program here, so
 * what must not leave this machine asks `browsedHere`.
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

/** Whether a browser on this machine asks: it says that it keeps its connection, a word that nginx passes on to nobody. */
export function browsedHere(request: FastifyRequest): boolean {
  return fromThisMachine(request) && request.headers.connection?.toLowerCase() === "keep-alive";
}
