import { Redis } from "ioredis";
import { RateLimiterPostgres, RateLimiterRedis, type RateLimiterAbstract, RateLimiterRes } from "rate-limiter-flexible";
import type { DbPool } from "../db/embedded-pool.ts";
import type { Cap } from "./limits.ts";

/** Counts by key within a time that starts with the first one. */
export interface Counter {
  /** Counts one more. */
  add(key: string): Promise<Count>;
  look(key: string): Promise<Count>;
}

export interface Count {
  /** With this one. */
  used: number;
  /** Until the count starts again. */
  seconds: number;
}

export interface Counters {
  counter(name: string, cap: Cap): Counter;
  close(): void;
}

/**
 * Counters in Redis when there is one, shared by every web process; otherwise, and while Redis is away, in the table
 * `caps`. Their time is the machine's, as Redis' own is.
 */
export function openCounters(place: { pool: DbPool; redisUrl: string | null }): Counters {
  const storeClient = clientOf(place.pool);
  const redis = place.redisUrl === null ? null : connect(place.redisUrl);
  return {
    counter(name, { points, seconds: duration }) {
      const options = { keyPrefix: name, points, duration };
      const inDatabase = new RateLimiterPostgres({
        ...options,
        storeClient,
        storeType: "client",
        tableName: "caps",
        tableCreated: true,
      });
      if (!redis) return counterOn(inDatabase);
      const keyPrefix = `dayletter:caps:${name}`;
      return counterOn(
        new RateLimiterRedis({
          ...options,
          keyPrefix,
          storeClient: redis,
          rejectIfRedisNotReady: true,
          insuranceLimiter: inDatabase,
        }),
      );
    },
    close: () => redis?.disconnect(),
  };
}

function counterOn(limiter: RateLimiterAbstract): Counter {
  return {
    async add(key) {
      try {
        return countOf(await limiter.consume(key));
      } catch (refused) {
        if (refused instanceof RateLimiterRes) return countOf(refused);
        throw refused;
      }
    },
    look: async (key) => countOf(await limiter.get(key)),
  };
}

function countOf(found: RateLimiterRes | null): Count {
  return { used: found?.consumedPoints ?? 0, seconds: Math.max(1, Math.ceil((found?.msBeforeNext ?? 0) / 1_000)) };
}

/** The limiter's statements without their names, for both engines plan them in no time. */
function clientOf(pool: DbPool): { query(statement: { text: string; values: unknown[] }): Promise<unknown> } {
  return { query: ({ text, values }) => pool.query(text, values) };
}

function connect(url: string): Redis {
  const redis = new Redis(url, { connectionName: "dayletter-caps", maxRetriesPerRequest: 1, commandTimeout: 1_000 });
  // It reconnects by itself; without a listener each refused attempt would be printed with its stack.
  return redis.on("error", () => undefined);
}
