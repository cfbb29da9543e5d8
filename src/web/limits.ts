import type { FastifyInstance, FastifyRequest } from "fastify";
import { Refusal } from "../base/errors.ts";
import { sentence } from "../base/sentence.ts";

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
    const said = sentence(
      {
        one: "Too many wrong tries from your address: try again in {n} second.",
        other: "Too many wrong tries from your address: try again in {n} seconds.",
      },
      { n },
    );
    throw new Refusal(429, said, { retryAfterSeconds: n });
  };
}
