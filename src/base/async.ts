import { reasonOf } from "./errors.ts";
import type { Log } from "./log.ts";
import type { Clock } from "./clock.ts";

/** The result of `work`, or an error if it takes longer than `ms`. */
export async function within<T>(ms: number, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${ms / 1000} s`)), ms);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Runs `work` on every item, at most `limit` at a time. Rejects at the first failure. */
export async function eachLimited<T>(
  items: readonly T[],
  limit: number,
  work: (item: T) => Promise<void>,
): Promise<void> {
  const queue = items.values();
  await Promise.all(
    Array.from({ length: Math.min(limit, items.length) }, async () => {
      for (const item of queue) await work(item);
    }),
  );
}

/** Removes the steps and runs them, last first. A failing step is logged and does not stop the others. */
export async function closeInReverse(steps: (() => unknown)[], log: Log): Promise<void> {
  for (const step of steps.splice(0).reverse()) {
    try {
      await step();
    } catch (error) {
      log.warn({ reason: reasonOf(error) }, "could not close");
    }
  }
}

/** Shares one pending answer among concurrent callers. A call after it has settled asks again. */
export function shared<T>(ask: () => Promise<T>): () => Promise<T> {
  let underway: Promise<T> | null = null;
  return () => {
    underway ??= ask().finally(() => {
      underway = null;
    });
    return underway;
  };
}

/** The same, and caches the answer for `ms` milliseconds. */
export function kept<T>(clock: Clock, ms: number, ask: () => Promise<T>): () => Promise<T> {
  let last: { answer: T; at: number } | null = null;
  return shared(async () => {
    const now = clock.now().getTime();
    if (last === null || now < last.at || now - last.at >= ms) last = { answer: await ask(), at: now };
    return last.answer;
  });
}

/**
 * Batches requests: keys that arrive while a request is pending are asked for together after it. The first request starts
 * at once.
 *
 * @param ask returns the answers in the order of the keys
 */
export function together<K, V>(ask: (keys: K[]) => Promise<V[]>): (key: K) => Promise<V> {
  let waiting: { key: K; resolve: (answer: V) => void; reject: (error: unknown) => void }[] = [];
  let underway = false;

  async function work(): Promise<void> {
    underway = true;
    while (waiting.length > 0) {
      const asked = waiting;
      waiting = [];
      try {
        const answers = await ask(asked.map(({ key }) => key));
        for (const [i, { resolve }] of asked.entries()) resolve(answers[i]!);
      } catch (error) {
        for (const { reject } of asked) reject(error);
      }
    }
    underway = false;
  }

  return (key) =>
    new Promise((resolve, reject) => {
      waiting.push({ key, resolve, reject });
      if (!underway) void work();
    });
}
