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

/** Where the queue lives: in Redis, in PostgreSQL, or in the embedded database beside the records. */
export type QueuePlace =
  | { kind: "redis"; url: string }
  | { kind: "postgres"; url: string }
  | { kind: "embedded"; pool: DbPool };

/** Makes BullMQ's objects on one of its backends. Nothing above this knows which. */
export interface QueueConnection {
  queue(name: string): Queue;
  worker(name: string, processor: Processor, options: Omit<WorkerOptions, "connection">): Worker;
  /** One word from the server, to see that it is there. */
  ping(): Promise<void>;
  close(): Promise<void>;
}

/** Longest pause between attempts to reach Redis again, in milliseconds. */
const reconnectMs = 1_000;

/** Keys in Redis start with this, so that one Redis can serve others too. */
export const keyPrefix = "dayletter";

/** @param telemetry hands traces from job to job; without it there are none */
export function connectQueue(place: QueuePlace, telemetry?: Telemetry): QueueConnection {
  const traced = telemetry ? { telemetry } : {};
  return place.kind === "redis" ? onRedis(place.url, traced) : onPostgres(place, traced);
}

type Traced = { telemetry?: Telemetry };

function onRedis(url: string, traced: Traced): QueueConnection {
  // Producers fail fast when Redis is away; a worker's blocking connection waits for it to come back.
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
  // On a real server BullMQ keeps pools of its own, for its LISTEN connections are held for as long as it runs.
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

/** ioredis reconnects by itself; without a listener each refused attempt would be printed with its stack. */
function quiet(redis: Redis): Redis {
  return redis.on("error", () => undefined);
}
