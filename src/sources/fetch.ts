import { Agent, request as ask, type Dispatcher } from "undici";
import { readBody } from "./body.ts";
import { fetchRefusal, statusRefusal } from "./fetch-refusal.ts";
import { addressOf, follow, headerText, leave, setOut, shownWay, type Get, type Way } from "./follow.ts";
import { guardedConnector, type Lookup } from "./guard.ts";
import { timeLimit } from "./time-limit.ts";

export interface FetchDeps {
  /** Whether to allow addresses that are not on the public Internet. */
  allowPrivate: boolean;
  userAgent: string;
  /** Defaults to the system's resolver. */
  lookup?: Lookup;
  /** For the whole fetch: name lookup, connections, redirects and the body. */
  timeoutMs?: number;
  /** Before and after each decompression. */
  maxBytes?: number;
}

export interface FetchRequest {
  url: string;
  /** The validators of the last answer (RFC 9110 §13). */
  etag: string | null;
  lastModified: string | null;
  signal?: AbortSignal;
}

export type FetchAnswer =
  | { kind: "unchanged" }
  | {
      kind: "fetched";
      bytes: Uint8Array;
      /** The Content-Type header. */
      contentType: string | null;
      etag: string | null;
      lastModified: string | null;
      /** Where it came from: the base of its links. */
      url: string;
      /** `url`, if every redirect on the way was permanent (301, 308). */
      movedTo: string | null;
    };

const accept =
  "application/rss+xml, application/atom+xml, application/feed+json, application/rdf+xml, " +
  "application/xml;q=0.9, text/xml;q=0.9, application/json;q=0.8, */*;q=0.5";

/** Fetches a feed if it has changed. @throws Refusal 422 where the address has to change, 502 where the other side failed */
export async function fetchFeed(deps: FetchDeps, request: FetchRequest): Promise<FetchAnswer> {
  const { allowPrivate, lookup, userAgent, timeoutMs = 15_000, maxBytes = 10_000_000 } = deps;
  const way = setOut(request.url);
  const limit = timeLimit(timeoutMs, request.signal);
  const dispatcher = new Agent({ connect: guardedConnector({ allowPrivate, lookup, timeoutMs }) });
  const get: Get = (url) => {
    const headers = headersFor(url, request, userAgent);
    // undici ignores the signal while it connects.
    return limit.race(ask(addressOf(url), { dispatcher, signal: limit.signal, headers }));
  };
  try {
    return await answerOf(await follow(way, get), way, { maxBytes, signal: limit.signal });
  } catch (error) {
    throw limit.refusal(shownWay(way)) ?? fetchRefusal(shownWay(way), error, { maxBytes });
  } finally {
    limit.end();
    // Not awaited: a connection that is being opened runs until its own timeout.
    dispatcher.destroy().catch(() => {});
  }
}

async function answerOf(
  response: Dispatcher.ResponseData,
  way: Way,
  limits: { maxBytes: number; signal: AbortSignal },
): Promise<FetchAnswer> {
  const { statusCode: status, headers } = response;
  if (status < 200 || status > 299) {
    leave(response);
    if (status === 304) return { kind: "unchanged" };
    throw statusRefusal(shownWay(way), status, headerText(headers["retry-after"]));
  }
  const bytes = await readBody(response.body, headerText(headers["content-encoding"]), limits);
  return {
    kind: "fetched",
    bytes,
    contentType: headerText(headers["content-type"]) ?? null,
    etag: validator(headers.etag),
    lastModified: validator(headers["last-modified"]),
    url: way.at.href,
    movedTo: way.hops > 0 && way.permanent ? way.at.href : null,
  };
}

function headersFor(url: URL, { etag, lastModified }: FetchRequest, userAgent: string): Record<string, string> {
  const user = `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`;
  return {
    "user-agent": userAgent,
    accept,
    "accept-encoding": "gzip, deflate, br",
    ...(etag === null ? {} : { "if-none-match": etag }),
    ...(lastModified === null ? {} : { "if-modified-since": lastModified }),
    ...(user === ":" ? {} : { authorization: `Basic ${Buffer.from(user).toString("base64")}` }),
  };
}

/** null for a validator that could not be sent back unchanged. */
function validator(header: string | string[] | undefined): string | null {
  const value = headerText(header) ?? "";
  return /^[\x20-\x7e]{1,500}$/.test(value) ? value : null;
}
