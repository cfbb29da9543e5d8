import { reasonOf } from "./errors.ts";
import type { Log } from "./log.ts";
import { within } from "./within.ts";

/** Notices when a server that this process depends on goes away, and when it is back. */
export interface EngineWatch {
  /** Takes an error that says the server may be away, and has a look. Costs nothing while it looks already. */
  suspect(): void;
  away(): boolean;
  /** Resolves when a look has found that the server answers, at once if nothing is suspected, or when `signal` aborts. */
  back(signal: AbortSignal): Promise<void>;
  /** `away` is called when the server stopped answering, `back` each time it has answered after a suspicion. */
  follow(follower: { away?: () => void; back?: () => void }): void;
  close(): void;
}

/** A look never takes longer than this, whatever the network does. */
const probeMs = 2_000;
/** Between looks; up to twice as long, so that many nodes do not ask at the same moment. */
const pauseMs = 500;

/**
 * Watches one server. Nothing is asked while all is well; after `suspect` it is probed about once a second, for as long as
 * it takes. The log gets one line when it goes away and one when it is back.
 * @param name for the log, such as "PostgreSQL"
 */
export function watchEngine(deps: { name: string; probe(): Promise<void>; log: Log }): EngineWatch {
  const { name, probe, log } = deps;
  const followers: { away?: () => void; back?: () => void }[] = [];
  let running = false;
  /** Whether something was suspected that no finished look has answered yet. */
  let suspected = false;
  let away = false;
  let waiting: (() => void)[] = [];
  let closed = false;
  let endPause = (): void => undefined;

  async function run(): Promise<void> {
    running = true;
    while (suspected && !closed) {
      await look();
      // Keeps errors that come although the server answers from making a loop.
      await pause();
    }
    running = false;
  }

  async function look(): Promise<void> {
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
          log.warn({ engine: name, reason: reasonOf(error) }, `${name} does not answer, waiting for it`);
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
/** What pg, ioredis and BullMQ say without a code. */
const sentences =
  /^(?:Connection terminated|Connection is closed|Client has encountered a connection error|Stream isn't writeable|timeout expired|LOADING |MASTERDOWN )/;

/** Whether an error of pg, ioredis or BullMQ says that the server could not be reached, rather than that it refused something. */
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
