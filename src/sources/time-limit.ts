import { Refusal } from "../base/errors.ts";

export interface TimeLimit {
  signal: AbortSignal;
  /** Rejects as soon as the time is up, even if `work` ignores the signal. */
  race<T>(work: Promise<T>): Promise<T>;
  /** null if the time is not up and the caller did not stop. */
  refusal(url: string): Refusal | null;
  end(): void;
}

/** One deadline for a whole fetch, combined with the caller's signal. */
export function timeLimit(timeoutMs: number, outer: AbortSignal | undefined): TimeLimit {
  const controller = new AbortController();
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    controller.abort();
  }, timeoutMs);
  const stop = () => controller.abort();
  if (outer?.aborted) stop();
  outer?.addEventListener("abort", stop, { once: true });
  return {
    signal: controller.signal,
    race: (work) => Promise.race([work, stopped(controller.signal)]),
    refusal(url: string): Refusal | null {
      if (!controller.signal.aborted) return null;
      if (late) return new Refusal(502, "source_timeout", { url, seconds: timeoutMs / 1000 });
      return new Refusal(502, "source_interrupted", { url });
    },
    end(): void {
      clearTimeout(timer);
      outer?.removeEventListener("abort", stop);
    },
  };
}

/** Rejects when the signal aborts. */
export function stopped(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const stop = () => reject(new Error("stopped"));
    if (signal.aborted) stop();
    else signal.addEventListener("abort", stop, { once: true });
  });
}
