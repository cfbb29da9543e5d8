import type { JobsOptions } from "bullmq";
import { z } from "zod";

const edition = z.object({ editionId: z.number().int().positive() });
const nothing = z.object({});

/**
 * Every job: the queue it goes through and its payload, which is ids and nothing else. The database says what is to be
 * done; a job says when to look, and may run twice, late or never.
 */
export const jobs = {
  "fetch-source": { queue: "sources", payload: z.object({ sourceId: z.number().int().positive() }) },
  "open-edition": { queue: "editions", payload: nothing },
  "render-edition": { queue: "editions", payload: edition },
  "fan-out": { queue: "editions", payload: edition },
  "close-edition": { queue: "editions", payload: edition },
  recover: { queue: "editions", payload: nothing },
  retention: { queue: "editions", payload: nothing },
  "deliver-slice": { queue: "deliveries", payload: edition.extend({ slice: z.number().int().min(0) }) },
  // By themselves, so that a reader who waits for a mail does not wait behind an edition.
  "handle-signup": { queue: "readers", payload: nothing },
  "send-notices": { queue: "readers", payload: nothing },
} as const;

export type JobName = keyof typeof jobs;
export type QueueName = (typeof jobs)[JobName]["queue"];
export type Payload<N extends JobName> = z.output<(typeof jobs)[N]["payload"]>;

export const queueNames: readonly QueueName[] = ["sources", "editions", "deliveries", "readers"];

/**
 * Asks for a look, at once or at an instant to come. Asking again before the first one has begun changes nothing.
 * @param later the instant, and what the clock says now
 */
export interface Wake {
  <N extends JobName>(name: N, payload: Payload<N>, later?: { at: Date; now: Date }): Promise<void>;
}

/**
 * A job that is waiting already stands for a new one with the same payload; one that is running is followed by one more
 * look, for it may have seen the edition paused a moment before it was resumed. A failed one is not kept alive:
 * `recover` asks again for whatever the database still shows as undone.
 */
export function jobOptions(name: JobName, payload: object, later?: { at: Date; now: Date }): JobsOptions {
  const id = [name, ...Object.values(payload)].join("-");
  return {
    // A look at an instant to come must not stand for one that is wanted now.
    ...(later
      ? { jobId: `${id}-at-${later.at.getTime()}`, delay: Math.max(0, later.at.getTime() - later.now.getTime()) }
      : { deduplication: { id, keepLastIfActive: true } }),
    attempts: name === "render-edition" ? 3 : 1,
    backoff: { type: "exponential", delay: 2_000 },
    removeOnComplete: { age: 3_600, count: 1_000 },
    removeOnFail: { age: 7 * 24 * 3_600, count: 1_000 },
  };
}
