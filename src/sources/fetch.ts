import { Agent, request as ask, type Dispatcher } from "undici";
import { Refusal } from "../base/errors.ts";
import { shownUrl } from "./address.ts";
import { readBody } from "./body.ts";
import { decodeFeed } from "./charset.ts";
import { fetchRefusal, statusRefusal } from "./fetch-refusal.ts";
import { guardedConnector, type Lookup } from "./guard.ts";
import { timeLimit } from "./time-limit.ts";

export interface FetchDeps {
  /** Whether feeds may be at addresses that are not on the public Internet. */
  allowPrivate: boolean;
  userAgent: string;
  /** The system's resolver, if not given. */
  lookup?: Lookup;
  /** For everything: names, connections, redirects and the body. */
  timeoutMs?: number;
  /** After decompression. */
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
      text: string;
      etag: string | null;
      lastModified: string | null;
      /** Where the text came from: the base of its links. */
      finalUrl: string;
      /** `finalUrl`, if every redirect on the way was permanent (301, 308). */
      movedTo: string | null;
    };

const mostRedirects = 5;
const accept =
  "application/rss+xml, application/atom+xml, application/feed+json, application/rdf+xml, " +
  "application/xml;q=0.9, text/xml;q=0.9, application/json;q=0.8, */*;q=0.5";

/** Gets a feed if it has changed. @throws Refusal 422 where the address has to change, 502 where the other side failed */
export async function fetchFeed(deps: FetchDeps, request: FetchRequest): Promise<FetchAnswer> {
  const { allowPrivate, lookup, userAgent, timeoutMs = 15_000, maxBytes = 10_000_000 } = deps;
  const start = webAddress(request.url, "This source");
  const way: Way = { start, at: start, hops: 0, permanent: true };
  const limit = timeLimit(timeoutMs, request.signal);
  const dispatcher = new Agent({ connect: guardedConnector({ allowPrivate, lookup, timeoutMs }) });
  const get: Get = (url) => {
    const address = url.origin + url.pathname + url.search;
    const headers = headersFor(url, request, userAgent);
    // A request whose connection is still being made would take no notice of the signal.
    return limit.race(ask(address, { dispatcher, signal: limit.signal, headers }));
  };
  try {
    return await answerOf(await follow(way, get), way, maxBytes);
  } catch (error) {
    throw limit.refusal(shown(way)) ?? fetchRefusal(shown(way), error, { maxBytes });
  } finally {
    limit.end();
    // Not waited for, as a connection in the making goes on to its own time limit.
    dispatcher.destroy().catch(() => {});
  }
}

/** The way through redirects, so far. */
interface Way {
  start: URL;
  at: URL;
  hops: number;
  /** Whether every hop was. */
  permanent: boolean;
}

type Get = (url: URL) => Promise<Dispatcher.ResponseData>;

/** Redirects are followed here and not by undici, so that each hop is looked at. */
async function follow(way: Way, get: Get): Promise<Dispatcher.ResponseData> {
  for (;;) {
    const response = await get(way.at);
    const { statusCode: status } = response;
    if (![301, 302, 303, 307, 308].includes(status)) return response;
    leave(response);
    const target = redirectTarget(list(response.headers.location), way.at, shown(way));
    way.hops += 1;
    if (way.hops > mostRedirects) {
      const what = shownUrl(way.start);
      throw new Refusal(422, `${what} redirects more than ${mostRedirects} times: use the address it should end at.`);
    }
    way.permanent &&= status === 301 || status === 308;
    way.at = target;
  }
}

async function answerOf(response: Dispatcher.ResponseData, way: Way, maxBytes: number): Promise<FetchAnswer> {
  const { statusCode: status, headers } = response;
  if (status < 200 || status > 299) {
    leave(response);
    if (status === 304) return { kind: "unchanged" };
    throw statusRefusal(shown(way), status, list(headers["retry-after"]));
  }
  const bytes = await readBody(response.body, list(headers["content-encoding"]), maxBytes);
  return {
    kind: "fetched",
    text: decodeFeed(bytes, list(headers["content-type"]) ?? null),
    etag: validator(headers.etag),
    lastModified: validator(headers["last-modified"]),
    finalUrl: way.at.href,
    movedTo: way.hops > 0 && way.permanent ? way.at.href : null,
  };
}

function webAddress(url: string, what: string): URL {
  if (URL.canParse(url) && /^https?:$/.test(new URL(url).protocol)) return new URL(url);
  throw new Refusal(422, `${what} has no http:// or https:// address that could be fetched.`);
}

/** The user and password of the address stay with its origin: another host, or plain http, never gets to see them. */
function redirectTarget(location: string | undefined, from: URL, what: string): URL {
  if (location === undefined || !URL.canParse(location, from.href)) {
    throw new Refusal(502, `${what} redirects without saying where to: tell its publisher.`);
  }
  const target = webAddress(new URL(location, from).href, `What ${what} redirects to`);
  const same = target.origin === from.origin;
  target.username = same ? from.username : "";
  target.password = same ? from.password : "";
  return target;
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

/** Of a validator that could not be sent back as it came, nothing is kept. */
function validator(header: string | string[] | undefined): string | null {
  const value = list(header) ?? "";
  return /^[\x20-\x7e]{1,500}$/.test(value) ? value : null;
}

function list(header: string | string[] | undefined): string | undefined {
  return Array.isArray(header) ? header.join(", ") : header;
}

/** The body of an answer that is no feed is of no interest, whatever becomes of it. */
function leave({ body }: Dispatcher.ResponseData): void {
  body.on("error", () => {}).destroy();
}

function shown({ start, at }: Way): string {
  return start.href === at.href ? shownUrl(start) : `${shownUrl(start)} (redirected to ${shownUrl(at)})`;
}
