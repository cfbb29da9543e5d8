import { Refusal } from "../base/errors.ts";

export interface TimeLimit {
  signal: AbortSignal;
  /** Rejects as soon as the time is up, whether or not `work` takes notice. */
  race<T>(work: Promise<T>): Promise<T>;
  /** Why it was stopped, if it was. */
  refusal(what: string): Refusal | null;
  end(): void;
}

/** One deadline for all of a fetch, together with the caller's own wish to stop. */
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
    refusal(what: string): Refusal | null {
      if (!controller.signal.aborted) return null;
      const why = late ? `did not answer in ${timeoutMs / 1000} seconds` : "was not read in time";
      return new Refusal(502, `${what} ${why}: it will be asked again later.`);
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
