import type { JobsOptions } from "bullmq";
import { z } from "zod";

const edition = z.object({ editionId: z.number().int().positive() });
const nothing = z.object({});

/**
 * Every job with its queue and its payload, which has ids only. The database says what to do. A job only says when to
 * check, and may run twice, late or never.
 */
export const jobs = {
  "fetch-source": { queue: "sources", payload: z.object({ sourceId: z.number().int().positive() }) },
  "open-edition": { queue: "editions", payload: nothing },
  "render-edition": { queue: "editions", payload: edition },
  "queue-slices": { queue: "editions", payload: edition },
  "close-edition": { queue: "editions", payload: edition },
  // Asks other servers, like the polls of feeds.
  "look-up-providers": { queue: "sources", payload: edition },
  recover: { queue: "editions", payload: nothing },
  retention: { queue: "editions", payload: nothing },
  "ask-again": { queue: "editions", payload: nothing },
  "deliver-slice": { queue: "deliveries", payload: edition.extend({ slice: z.number().int().min(0) }) },
  // In a queue of their own, so that a reader who waits for an email does not wait for an edition.
  "handle-signup": { queue: "readers", payload: nothing },
  "send-notices": { queue: "readers", payload: nothing },
} as const;

export type JobName = keyof typeof jobs;
export type QueueName = (typeof jobs)[JobName]["queue"];
export type Payload<N extends JobName> = z.output<(typeof jobs)[N]["payload"]>;

export const queueNames: readonly QueueName[] = ["sources", "editions", "deliveries", "readers"];

/**
 * Queues a job, now or for later. Queueing it again before it has started changes nothing.
 * @param later when to run it, and the current time
 */
export interface Wake {
  <N extends JobName>(name: N, payload: Payload<N>, later?: { at: Date; now: Date }): Promise<void>;
}

/**
 * A waiting job replaces a new one with the same payload. A running job is followed by another run, because it may have
 * read the state before it changed. A failed job is not retried: `recover` queues what is still to do.
 */
export function jobOptions(name: JobName, payload: object, later?: { at: Date; now: Date }): JobsOptions {
  const id = [name, ...Object.values(payload)].join("-");
  return {
    // A job for later must not replace one for now.
    ...(later
      ? { jobId: `${id}-at-${later.at.getTime()}`, delay: Math.max(0, later.at.getTime() - later.now.getTime()) }
      : { deduplication: { id, keepLastIfActive: true } }),
    attempts: name === "render-edition" ? 3 : 1,
    backoff: { type: "exponential", delay: 2_000 },
    removeOnComplete: { age: 3_600, count: 1_000 },
    removeOnFail: { age: 7 * 24 * 3_600, count: 1_000 },
  };
}
