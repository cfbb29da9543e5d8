import { Agent, request as ask } from "undici";
import { eachLimited } from "../base/async.ts";
import { Refusal } from "../base/errors.ts";
import { addressOf, codeOf, type FetchDeps, follow, type Get, innermost, startRoute } from "./fetch.ts";
import { guardedConnector, PrivateAddress } from "./guard.ts";
import { timeLimit } from "./fetch-limits.ts";

export type LinkDeps = Pick<FetchDeps, "allowPrivate" | "userAgent" | "lookup"> & {
  /** Time limits for all links together and for each one. */
  linksMs?: number;
  linkMs?: number;
};

/** The result of requesting a page. */
export type LinkAnswer =
  /** `movedTo`: the final page, if there were redirects. */
  | { kind: "status"; status: number; movedTo?: string }
  /** The host has no address; `hops` redirects led to it. */
  | { kind: "no-name"; host: string; hops: number }
  | { kind: "late" }
  | { kind: "private-address" }
  /** Too many redirects, or one without a web page as its target. */
  | { kind: "bad-redirect" }
  /** `error`: the code of the system, TLS or undici, such as `ECONNREFUSED`; empty if there is none. */
  | { kind: "failed"; error: string };

/** Concurrent requests in total and to one host: no more than a reader's browser makes. */
const atOnce = 8;
const ofOneHost = 2;
/** Some servers answer HEAD with these although GET works, so the page is requested again with GET. */
const headDoubted = new Set([400, 403, 404, 405, 406, 410, 501]);

/**
 * Requests pages without reading them, with the same protection as feeds. Never throws. A page that is not requested
 * before `linksMs` is over or `signal` aborts has no answer.
 * @param urls http(s) addresses, each once
 */
export async function requestLinks(
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
    await eachLimited(queuesOf(urls), atOnce, async (queue) => {
      for (const url of queue) {
        if (all.signal.aborted) return;
        answers.set(url, await requestLink({ ...deps, linkMs, dispatcher }, url, all.signal));
      }
    });
    return answers;
  } finally {
    all.end();
    dispatcher.destroy().catch(() => {});
  }
}

/** Two queues for each host, which share one iterator. The first queues of all hosts come before the second ones. */
function queuesOf(urls: readonly string[]): Iterable<string>[] {
  const byHost = new Map<string, string[]>();
  for (const url of urls) {
    const { host } = new URL(url);
    byHost.set(host, [...(byHost.get(host) ?? []), url]);
  }
  const queues = [...byHost.values()].map((of) => of.values());
  return Array.from({ length: ofOneHost }, () => queues).flat();
}

async function requestLink(
  { dispatcher, userAgent, linkMs }: { dispatcher: Agent; userAgent: string; linkMs: number },
  url: string,
  outer: AbortSignal,
): Promise<LinkAnswer> {
  const limit = timeLimit(linkMs, outer);
  let route = startRoute(url);
  const statusBy = async (method: "HEAD" | "GET"): Promise<number> => {
    route = startRoute(url);
    const range = method === "GET" ? { range: "bytes=0-0" } : {};
    const headers = { "user-agent": userAgent, accept: "text/html, */*;q=0.5", ...range };
    const get: Get = (at) => limit.race(ask(addressOf(at), { method, dispatcher, signal: limit.signal, headers }));
    const { statusCode, body } = await follow(route, get);
    body.dump({ limit: 1_024 }).catch(() => {});
    return statusCode;
  };
  try {
    const byHead = await statusBy("HEAD");
    const status = headDoubted.has(byHead) ? await statusBy("GET") : byHead;
    return { kind: "status", status, ...(route.hops === 0 ? {} : { movedTo: route.at.href }) };
  } catch (thrown) {
    if (limit.signal.aborted) return { kind: "late" };
    const error = innermost(thrown);
    const code = codeOf(error);
    if (code === "ENOTFOUND") return { kind: "no-name", host: route.at.hostname, hops: route.hops };
    if (error instanceof PrivateAddress) return { kind: "private-address" };
    if (error instanceof Refusal) return { kind: "bad-redirect" };
    return code === "UND_ERR_CONNECT_TIMEOUT" ? { kind: "late" } : { kind: "failed", error: code };
  } finally {
    limit.end();
  }
}
