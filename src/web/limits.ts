import { Socket } from "node:net";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { Refusal } from "../base/errors.ts";

/** Counts a failed try against the client's address; throws a 429 Refusal once there were too many. */
export type CountFailure = (request: FastifyRequest) => Promise<void>;

/**
 * A limit on failed tries alone: wrong API tokens, or links that were made up. Whoever has a true one is never held back,
 * for mail services send one-click requests of all their customers from a few addresses (RFC 8058).
 * @param max failures of one client in a minute
 */
export function limitFailures(web: FastifyInstance, max: number): CountFailure {
  let count: ReturnType<FastifyInstance["createRateLimit"]> | null = null;
  return async (request) => {
    count ??= web.createRateLimit({ max, timeWindow: 60_000 });
    const result = await count(request);
    if (result.isAllowed || !result.isExceeded) return;
    const { ttlInSeconds: n } = result;
    throw new Refusal(429, "too_many_tries", { n, retryAfterSeconds: n });
  };
}

/** No body arrives for so long: its sender is gone, or holds the connection on purpose. */
const stalledMs = 30_000;
/** For a whole request. A list of 100 MB takes 27 minutes at half a megabit per second. */
export const requestMs = 30 * 60_000;

/**
 * Ends requests whose body stops arriving (CWE-400), with 408 where nothing was answered yet. A slow upload goes on as long
 * as some of it arrives, and an answer may take its time: events of operators' pages last for hours.
 */
export function cutStalledBodies(web: FastifyInstance, afterMs = stalledMs): void {
  web.addHook("onRequest", (request, reply, done) => {
    const { raw } = request;
    const { socket } = raw;
    const hasBody = raw.headers["transfer-encoding"] !== undefined || Number(raw.headers["content-length"] ?? 0) > 0;
    // A request that was injected has none.
    if (hasBody && socket instanceof Socket) {
      let arrived = socket.bytesRead;
      const timer = setInterval(() => {
        if (raw.complete) return clearInterval(timer);
        if (socket.bytesRead === arrived) return cut(socket, reply);
        arrived = socket.bytesRead;
      }, afterMs).unref();
      raw.once("close", () => clearInterval(timer));
    }
    done();
  });
}

function cut(socket: Socket, reply: FastifyReply): void {
  if (!reply.raw.headersSent) socket.write("HTTP/1.1 408 Request Timeout\r\nconnection: close\r\n\r\n");
  socket.destroySoon();
}

/** For routes whose answer is a stream: a HEAD would read all of it, or never end, and nobody would see any of it. */
export const noHead = { exposeHeadRoute: false } as const;
