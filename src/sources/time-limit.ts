import { Refusal } from "../base/errors.ts";

export interface TimeLimit {
  signal: AbortSignal;
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
    refusal(what: string): Refusal | null {
      if (late)
        return new Refusal(502, `${what} did not answer in ${timeoutMs / 1000} seconds: it will be asked again later.`);
      return outer?.aborted ? new Refusal(502, `${what} was not read in time: it will be asked again later.`) : null;
    },
    end(): void {
      clearTimeout(timer);
      outer?.removeEventListener("abort", stop);
    },
  };
}
