import { Redis } from "ioredis";
import { RateLimiterPostgres, RateLimiterRedis, type RateLimiterAbstract, RateLimiterRes } from "rate-limiter-flexible";
import type { DbPool } from "../db/embedded-pool.ts";
import type { Cap } from "./limits.ts";

/** Counts by key in a window that starts with the first count. */
export interface Counter {
  /** Counts one more. */
  add(key: string): Promise<Count>;
  look(key: string): Promise<Count>;
}

export interface Count {
  /** Including this one. */
  used: number;
  /** Until the window ends. */
  seconds: number;
}

export interface Counters {
  counter(name: string, cap: Cap): Counter;
  close(): void;
}

/**
 * Counters that all web processes share: in Redis if there is one, otherwise and while Redis is down in the table `caps`.
 * They use the machine's clock, as Redis does.
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

/** Drops the names of the limiter's prepared statements: planning them costs nothing. */
function clientOf(pool: DbPool): { query(statement: { text: string; values: unknown[] }): Promise<unknown> } {
  return { query: ({ text, values }) => pool.query(text, values) };
}

function connect(url: string): Redis {
  const redis = new Redis(url, { connectionName: "dayletter-caps", maxRetriesPerRequest: 1, commandTimeout: 1_000 });
  // It reconnects automatically. Without a listener, each failed attempt would be printed with its stack.
  return redis.on("error", () => undefined);
}
