import { once } from "node:events";
import { extname } from "node:path";
import { Worker } from "node:worker_threads";
import { Refusal } from "../base/errors.ts";
import { shownUrl } from "./address.ts";
import { codeOf } from "./fetch.ts";
import type { ParsedFeed } from "./parse.ts";
import { refuse } from "./parse-document.ts";
import type { FetchedDocument, ParserAnswer } from "./parser-worker.ts";
import { stopped } from "./fetch-limits.ts";

/**
 * Decodes and parses a document off the event loop.
 * @param signal stops it, also while it waits for other documents
 * @throws Refusal 422 when the document is not a feed, or takes too much time or memory; 502 when `signal` aborted
 */
export type ParseFeed = (document: FetchedDocument, signal?: AbortSignal) => Promise<ParsedFeed>;

/** Like `ParseFeed` for a document whose source has no time zone of its own. */
export type ParseSource = (
  document: Omit<FetchedDocument, "timezone"> & { timezone: string | null },
  signal?: AbortSignal,
) => Promise<ParsedFeed>;

/** Reads dates without a zone in the publication's time zone where the source has none. */
export function withDefaultZone(parse: ParseFeed, timezone: () => Promise<string>): ParseSource {
  return async (document, signal) => parse({ ...document, timezone: document.timezone ?? (await timezone()) }, signal);
}

export interface FeedParser {
  parse: ParseFeed;
  close(): Promise<void>;
}

/** 1,000 long items (8 MB) take 3 seconds on a busy machine. 20,000 short ones (11 MB) take some 100 MB. */
const defaults = { parseMs: 10_000, memoryMb: 192, idleMs: 30_000 };

/**
 * Parses feeds one after the other in a worker thread, so that no document can block this process or use up its memory.
 * The worker starts with the first document (250 ms, 35 MB). It ends when idle, and when a document exceeds a limit.
 */
export function openFeedParser(limits: Partial<typeof defaults> = {}): FeedParser {
  const { parseMs, memoryMb, idleMs } = { ...defaults, ...limits };
  const closing = new AbortController();
  let worker: Worker | null = null;
  let idle: NodeJS.Timeout | undefined;
  /** Resolves when all earlier documents are done. */
  let turn: Promise<unknown> = Promise.resolve();

  return {
    async parse(document, signal) {
      const stop = AbortSignal.any([closing.signal, ...(signal ? [signal] : [])]);
      const parsed = turn.then(() => parseNow(document, stop));
      turn = parsed.catch(() => {});
      try {
        return await Promise.race([parsed, stopped(stop)]);
      } catch (error) {
        if (!stop.aborted) throw error;
        throw new Refusal(502, "source_interrupted", { url: shownUrl(document.url) });
      }
    },
    async close() {
      closing.abort();
      await end();
    },
  };

  async function parseNow(document: FetchedDocument, stop: AbortSignal): Promise<ParsedFeed> {
    stop.throwIfAborted();
    clearTimeout(idle);
    let limit: AbortSignal | null = null;
    try {
      const ready = await start(stop);
      ready.ref();
      ready.postMessage(document);
      limit = AbortSignal.timeout(parseMs);
      const [answer] = (await once(ready, "message", { signal: AbortSignal.any([stop, limit]) })) as [ParserAnswer];
      ready.unref();
      idle = setTimeout(() => void end(), idleMs).unref();
      if ("feed" in answer) return answer.feed;
      const { status, code, details } = answer.refusal;
      throw new Refusal(status, code, details);
    } catch (error) {
      if (error instanceof Refusal) throw error;
      await end();
      if (limit?.aborted) throw refuse(document.url, "feed_too_slow", { seconds: parseMs / 1000 });
      if (codeOf(error) !== "ERR_WORKER_OUT_OF_MEMORY") throw error;
      throw refuse(document.url, "feed_too_complex");
    }
  }

  async function start(stop: AbortSignal): Promise<Worker> {
    if (worker) return worker;
    const starting = startWorker(memoryMb);
    worker = starting;
    // Without a listener, an error between documents would end the process.
    starting.on("error", () => {
      if (worker === starting) worker = null;
    });
    await once(starting, "message", { signal: stop });
    return starting;
  }

  async function end(): Promise<void> {
    clearTimeout(idle);
    const ending = worker;
    worker = null;
    await ending?.terminate();
  }
}

/** parser-worker.js in a build, parser-worker.ts (loaded by tsx) from source. */
function startWorker(memoryMb: number): Worker {
  const options = { env: {}, execArgv: [], resourceLimits: { maxOldGenerationSizeMb: memoryMb } };
  const file = new URL(`parser-worker${extname(import.meta.url)}`, import.meta.url);
  if (file.pathname.endsWith(".js")) return new Worker(file, options);
  const tsx = import.meta.resolve("tsx/esm/api");
  // With Node 20, `--import tsx` (4.23) has no effect in a worker.
  const load = `import("${tsx}").then(({ tsImport }) => tsImport("${file.href}", "${file.href}"))`;
  return new Worker(load, { ...options, eval: true });
}
