import { once } from "node:events";
import { extname } from "node:path";
import { Worker } from "node:worker_threads";
import { Refusal } from "../base/errors.ts";
import { shownUrl } from "./address.ts";
import { codeOf } from "./fetch-refusal.ts";
import type { ParsedFeed } from "./parse.ts";
import { refuse } from "./parse-document.ts";
import type { FetchedDocument, ParserAnswer } from "./parser-worker.ts";
import { stopped } from "./time-limit.ts";

/**
 * Decodes and parses a document away from the event loop.
 * @param signal gives up, also while other documents are parsed first
 * @throws Refusal 422 when the document is no feed, or takes too much time or memory; 502 when `signal` aborted
 */
export type ParseFeed = (document: FetchedDocument, signal?: AbortSignal) => Promise<ParsedFeed>;

export interface FeedParser {
  parse: ParseFeed;
  close(): Promise<void>;
}

/** 1,000 long items (8 MB) take 3 seconds on a busy machine. 20,000 short ones (11 MB) take some 100 MB. */
const defaults = { parseMs: 10_000, memoryMb: 192, idleMs: 30_000 };

/**
 * Parses feeds one after the other in a worker thread, so that no document can block or fill this process. The worker
 * starts with the first document (250 ms, 35 MB). It ends after a while without documents, and with a document that
 * exceeds a limit.
 */
export function openFeedParser(limits: Partial<typeof defaults> = {}): FeedParser {
  const { parseMs, memoryMb, idleMs } = { ...defaults, ...limits };
  const closing = new AbortController();
  let worker: Worker | null = null;
  let idle: NodeJS.Timeout | undefined;
  /** Resolves when the documents before are done. */
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
        throw new Refusal(502, `${shownUrl(document.url)} was not read in time: it will be asked again later.`);
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
      throw new Refusal(answer.refusal.status, answer.refusal.message);
    } catch (error) {
      if (error instanceof Refusal) throw error;
      await end();
      const advice = "ask for a feed with fewer items";
      if (limit?.aborted) throw refuse(document.url, `takes longer than ${parseMs / 1000} seconds to read: ${advice}`);
      if (codeOf(error) !== "ERR_WORKER_OUT_OF_MEMORY") throw error;
      throw refuse(document.url, `takes too much memory to read: ${advice}`);
    }
  }

  async function start(stop: AbortSignal): Promise<Worker> {
    if (worker) return worker;
    const starting = startWorker(memoryMb);
    worker = starting;
    // Without a listener, an error between two documents would end the process.
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

/** The build has parser-worker.js. From source it is parser-worker.ts, which tsx loads. */
function startWorker(memoryMb: number): Worker {
  const options = { env: {}, execArgv: [], resourceLimits: { maxOldGenerationSizeMb: memoryMb } };
  const file = new URL(`parser-worker${extname(import.meta.url)}`, import.meta.url);
  if (file.pathname.endsWith(".js")) return new Worker(file, options);
  const tsx = import.meta.resolve("tsx/esm/api");
  // tsx 4.23 does nothing in a worker on Node 20 when it is asked for by --import.
  const load = `import("${tsx}").then(({ tsImport }) => tsImport("${file.href}", "${file.href}"))`;
  return new Worker(load, { ...options, eval: true });
}
