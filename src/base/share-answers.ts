import type { Clock } from "./clock.ts";

/** Makes those who ask while an answer is on its way share it; whoever asks after it has come gets a new one. */
export function shared<T>(ask: () => Promise<T>): () => Promise<T> {
  let underway: Promise<T> | null = null;
  return () => {
    underway ??= ask().finally(() => {
      underway = null;
    });
    return underway;
  };
}

/** The same, and the answer is given again for `ms` milliseconds: for what costs more than its newest minute is worth. */
export function kept<T>(clock: Clock, ms: number, ask: () => Promise<T>): () => Promise<T> {
  let last: { answer: T; at: number } | null = null;
  return shared(async () => {
    const now = clock.now().getTime();
    if (last === null || now < last.at || now - last.at >= ms) last = { answer: await ask(), at: now };
    return last.answer;
  });
}

/**
 * Makes those who ask while an answer is on its way wait for it and then ask together, each for their own. Whoever
 * waits for nothing is asked for at once.
 *
 * @param ask the answers in the order of the keys
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
