import {
  createPostgresBackend,
  Queue,
  Worker,
  withBackend,
  type Processor,
  type Telemetry,
  type WorkerOptions,
} from "bullmq";
import { Redis } from "ioredis";
import type { DbPool } from "../db/embedded-pool.ts";
import { pingPostgres } from "../db/open.ts";
import { asOptions, sessionSettings } from "../db/session.ts";

/** Where the queue lives: in Redis, in PostgreSQL, or in the embedded database. */
export type QueuePlace =
  | { kind: "redis"; url: string }
  | { kind: "postgres"; url: string }
  | { kind: "embedded"; pool: DbPool };

/** Creates BullMQ's objects on one of its backends. Callers do not know which. */
export interface QueueConnection {
  queue(name: string): Queue;
  worker(name: string, processor: Processor, options: Omit<WorkerOptions, "connection">): Worker;
  /** Checks that the server answers. */
  ping(): Promise<void>;
  close(): Promise<void>;
}

/** Longest pause between reconnects to Redis, in milliseconds. */
const reconnectMs = 1_000;

/** Prefix of all keys, so that other programs can use the same Redis. */
export const keyPrefix = "dayletter";

/** @param telemetry passes traces from job to job */
export function connectQueue(place: QueuePlace, telemetry?: Telemetry): QueueConnection {
  const traced = telemetry ? { telemetry } : {};
  return place.kind === "redis" ? onRedis(place.url, traced) : onPostgres(place, traced);
}

type Traced = { telemetry?: Telemetry };

function onRedis(url: string, traced: Traced): QueueConnection {
  // Producers fail fast when Redis is unavailable. A worker's blocking connection waits for it.
  const options = { connectionName: "dayletter", retryStrategy };
  const producer = quiet(new Redis(url, { ...options, maxRetriesPerRequest: 1 }));
  const blocking = quiet(new Redis(url, { ...options, maxRetriesPerRequest: null }));
  return {
    queue: (name) => new Queue(name, { ...traced, connection: producer, prefix: keyPrefix }),
    worker: (name, processor, worker) =>
      new Worker(name, processor, { ...traced, ...worker, connection: blocking, prefix: keyPrefix }),
    ping: async () => void (await producer.ping()),
    async close() {
      producer.disconnect();
      blocking.disconnect();
    },
  };
}

function onPostgres(place: Exclude<QueuePlace, { kind: "redis" }>, traced: Traced): QueueConnection {
  const backend = withBackend(createPostgresBackend);
  // On PostgreSQL BullMQ has its own pools, because its LISTEN connections stay open.
  const connection = (
    place.kind === "embedded"
      ? place.pool
      : { connectionString: place.url, max: 3, keepAlive: true, options: asOptions(sessionSettings()) }
  ) as never;
  return {
    queue: (name) => new backend.Queue(name, { ...traced, connection }) as unknown as Queue,
    worker: (name, processor, worker) =>
      new backend.Worker(name, processor as never, { ...traced, ...worker, connection }) as unknown as Worker,
    ping: async () => {
      if (place.kind === "embedded") await place.pool.query("select 1");
      else await pingPostgres(place.url);
    },
    close: async () => undefined,
  };
}

function retryStrategy(times: number): number {
  return Math.min(times * 100, reconnectMs) * (0.75 + Math.random() / 4);
}

/** ioredis reconnects automatically. Without a listener it prints the stack of each failed attempt. */
function quiet(redis: Redis): Redis {
  return redis.on("error", () => undefined);
}
