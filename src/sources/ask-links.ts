import { Agent, request as ask } from "undici";
import { eachLimited } from "../base/each.ts";
import { Refusal } from "../base/errors.ts";
import { codeOf, innermost } from "./fetch-refusal.ts";
import type { FetchDeps } from "./fetch.ts";
import { addressOf, follow, setOut, type Get } from "./follow.ts";
import { guardedConnector, PrivateAddress } from "./guard.ts";
import { timeLimit } from "./time-limit.ts";

export type LinkDeps = Pick<FetchDeps, "allowPrivate" | "userAgent" | "lookup"> & {
  /** For all links together, and for each. */
  linksMs?: number;
  linkMs?: number;
};

/** What came of asking for a page. */
export type LinkAnswer =
  /** `movedTo`: the page that answered, where redirects led to it. */
  | { kind: "status"; status: number; movedTo?: string }
  /** The host has no address; `hops` redirects led to it. */
  | { kind: "no-name"; host: string; hops: number }
  | { kind: "late" }
  /** `reason` goes behind the page's name, such as `cannot be reached (ECONNREFUSED)`. */
  | { kind: "failed"; reason: string };

/** Side by side, and of one host: no more than a reader's browser opens. */
const atOnce = 8;
const ofOneHost = 2;
/** Some servers refuse HEAD, or know only of GET that a page is there: these are asked once more. */
const headDoubted = new Set([400, 403, 404, 405, 406, 410, 501]);

/**
 * Asks for pages without reading them, under the same guard as feeds. Never throws; a page that is not asked for before
 * `linksMs` is over, or `signal` aborts, has no answer.
 * @param urls http(s) addresses, each once
 */
export async function askLinks(
  deps: LinkDeps,
  urls: readonly string[],
  signal?: AbortSignal,
): Promise<Map<string, LinkAnswer>> {
  const { allowPrivate, lookup, linksMs = 10_000, linkMs = 4_000 } = deps;
  const answers = new Map<string, LinkAnswer>();
  const connect = guardedConnector({ allowPrivate, lookup, timeoutMs: linkMs });
  const dispatcher = new Agent({ connect, connections: ofOneHost });
  const all = timeLimit(linksMs, signal);
  try {
    await eachLimited(lanesOf(urls), atOnce, async (lane) => {
      for (const url of lane) {
        if (all.signal.aborted) return;
        answers.set(url, await askLink({ ...deps, linkMs, dispatcher }, url, all.signal));
      }
    });
    return answers;
  } finally {
    all.end();
    dispatcher.destroy().catch(() => {});
  }
}

/** Each host's pages as two lanes that share what is left of them; no host has its second lane before all have one. */
function lanesOf(urls: readonly string[]): Iterable<string>[] {
  const byHost = new Map<string, string[]>();
  for (const url of urls) {
    const { host } = new URL(url);
    byHost.set(host, [...(byHost.get(host) ?? []), url]);
  }
  const lanes = [...byHost.values()].map((of) => of.values());
  return Array.from({ length: ofOneHost }, () => lanes).flat();
}

async function askLink(
  { dispatcher, userAgent, linkMs }: { dispatcher: Agent; userAgent: string; linkMs: number },
  url: string,
  outer: AbortSignal,
): Promise<LinkAnswer> {
  const limit = timeLimit(linkMs, outer);
  let way = setOut(url, "This link");
  const statusBy = async (method: "HEAD" | "GET"): Promise<number> => {
    way = setOut(url, "This link");
    const range = method === "GET" ? { range: "bytes=0-0" } : {};
    const headers = { "user-agent": userAgent, accept: "text/html, */*;q=0.5", ...range };
    const get: Get = (at) => limit.race(ask(addressOf(at), { method, dispatcher, signal: limit.signal, headers }));
    const { statusCode, body } = await follow(way, get);
    body.dump({ limit: 1_024 }).catch(() => {});
    return statusCode;
  };
  try {
    const byHead = await statusBy("HEAD");
    const status = headDoubted.has(byHead) ? await statusBy("GET") : byHead;
    return { kind: "status", status, ...(way.hops === 0 ? {} : { movedTo: way.at.href }) };
  } catch (thrown) {
    if (limit.signal.aborted) return { kind: "late" };
    const error = innermost(thrown);
    const code = codeOf(error);
    if (code === "ENOTFOUND") return { kind: "no-name", host: way.at.hostname, hops: way.hops };
    return { kind: "failed", reason: failure(error, code) };
  } finally {
    limit.end();
  }
}

function failure(error: unknown, code: string): string {
  if (error instanceof PrivateAddress) return "leads to a private address";
  if (error instanceof Refusal) return "redirects without end, or to no web page";
  if (code === "UND_ERR_CONNECT_TIMEOUT") return "does not answer in time";
  return code === "" ? "cannot be read" : `cannot be reached (${code})`;
}
