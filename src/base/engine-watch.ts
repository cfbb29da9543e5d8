import { reasonOf } from "./errors.ts";
import type { Log } from "./log.ts";
import { within } from "./async.ts";

/** Detects when a server that this process depends on stops answering, and when it answers again. */
export interface EngineWatch {
  /** Starts probing after an error that suggests an outage. Has no effect while it is probing. */
  suspect(): void;
  away(): boolean;
  /** Resolves when a probe succeeds, at once if nothing is suspected, or when `signal` aborts. */
  back(signal: AbortSignal): Promise<void>;
  /** `away` is called when the server stops answering, `back` each time it answers after a suspicion. */
  follow(follower: { away?: () => void; back?: () => void }): void;
  close(): void;
}

/** Longest time for one probe. */
const probeMs = 2_000;
/** Shortest pause between probes. Up to twice as long, so that nodes do not probe at the same time. */
const pauseMs = 500;

/**
 * Watches one server. It is probed only after `suspect`, about once a second until it answers. The log gets one line when
 * the server stops answering and one when it answers again.
 * @param name for the log, such as "PostgreSQL"
 */
export function watchEngine(deps: { name: string; probe(): Promise<void>; log: Log }): EngineWatch {
  const { name, probe, log } = deps;
  const followers: { away?: () => void; back?: () => void }[] = [];
  let running = false;
  /** Whether there is a suspicion that no finished probe has answered. */
  let suspected = false;
  let away = false;
  let waiting: (() => void)[] = [];
  let closed = false;
  let endPause = (): void => undefined;

  async function run(): Promise<void> {
    running = true;
    while (suspected && !closed) {
      await probeUntilBack();
      // Limits the rate if errors continue although the server answers.
      await pause();
    }
    running = false;
  }

  async function probeUntilBack(): Promise<void> {
    const begun = performance.now();
    for (;;) {
      suspected = false;
      try {
        await within(probeMs, probe());
        break;
      } catch (error) {
        if (closed) return;
        if (!away) {
          away = true;
          log.warn({ engine: name, reason: reasonOf(error) }, `${name} does not answer, waiting`);
          for (const follower of followers) follower.away?.();
        }
      }
      await pause();
    }
    if (closed) return;
    if (away) log.warn({ engine: name, seconds: secondsSince(begun) }, `${name} answers again`);
    away = false;
    const ready = waiting;
    waiting = [];
    for (const resolve of ready) resolve();
    for (const follower of followers) follower.back?.();
  }

  const pause = (): Promise<void> =>
    new Promise((resolve) => {
      endPause = resolve;
      setTimeout(resolve, pauseMs * (1 + Math.random())).unref();
    });

  return {
    suspect() {
      suspected = true;
      if (!running && !closed) void run();
    },
    away: () => away,
    back(signal) {
      if (signal.aborted || closed || !(suspected || away)) return Promise.resolve();
      return new Promise((resolve) => {
        const done = (): void => {
          signal.removeEventListener("abort", done);
          resolve();
        };
        signal.addEventListener("abort", done, { once: true });
        waiting.push(done);
      });
    },
    follow: (follower) => void followers.push(follower),
    close() {
      closed = true;
      endPause();
      for (const resolve of waiting.splice(0)) resolve();
    },
  };
}

const systemCodes = new Set(
  "ECONNREFUSED ECONNRESET ECONNABORTED EPIPE ETIMEDOUT EHOSTUNREACH EHOSTDOWN ENETUNREACH ENETDOWN ENOTFOUND EAI_AGAIN".split(
    " ",
  ),
);
/** PostgreSQL: connection exceptions, too many connections, shutting down, crashed, starting up (Appendix A, SQLSTATE). */
const sqlStates = /^(?:08...|53300|57P0[1235])$/;
/** Messages of pg, ioredis and BullMQ that have no code. */
const sentences =
  /^(?:Connection terminated|Connection is closed|Client has encountered a connection error|Stream isn't writeable|timeout expired|LOADING |MASTERDOWN )/;

/** Whether an error of pg, ioredis or BullMQ means that the server is unreachable, and not that it refused something. */
export function isConnectionError(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const { code, errors } = error as Error & { code?: unknown; errors?: unknown };
  if (typeof code === "string" && (systemCodes.has(code) || sqlStates.test(code))) return true;
  if (error.name === "MaxRetriesPerRequestError" || sentences.test(error.message)) return true;
  if (Array.isArray(errors) && errors.some(isConnectionError)) return true;
  return error.cause !== undefined && isConnectionError(error.cause);
}

function secondsSince(begun: number): number {
  return Math.round((performance.now() - begun) / 100) / 10;
}
