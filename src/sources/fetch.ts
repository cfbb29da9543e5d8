import { Agent, type Dispatcher, request as ask } from "undici";
import { readBody, timeLimit, TooLong, UnknownCoding } from "./fetch-limits.ts";
import { guardedConnector, type Lookup, PrivateAddress } from "./guard.ts";
import { reasonOf, Refusal } from "../base/errors.ts";
import { longestUrl } from "../render/plain.ts";
import { shownUrl } from "./address.ts";
import type { ErrorCode } from "../texts/catalogue.ts";

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
      /** `url`, if every redirect on the route was permanent (301, 308). */
      movedTo: string | null;
    };

const accept =
  "application/rss+xml, application/atom+xml, application/feed+json, application/rdf+xml, " +
  "application/xml;q=0.9, text/xml;q=0.9, application/json;q=0.8, */*;q=0.5";

/** Fetches a feed if it has changed. @throws Refusal 422 where the address has to change, 502 where the other side failed */
export async function fetchFeed(deps: FetchDeps, request: FetchRequest): Promise<FetchAnswer> {
  const { allowPrivate, lookup, userAgent, timeoutMs = 15_000, maxBytes = 10_000_000 } = deps;
  const route = startRoute(request.url);
  const limit = timeLimit(timeoutMs, request.signal);
  const dispatcher = new Agent({ connect: guardedConnector({ allowPrivate, lookup, timeoutMs }) });
  const get: Get = (url) => {
    const headers = headersFor(url, request, userAgent);
    // undici ignores the signal while it connects.
    return limit.race(ask(addressOf(url), { dispatcher, signal: limit.signal, headers }));
  };
  try {
    return await answerOf(await follow(route, get), route, { maxBytes, signal: limit.signal });
  } catch (error) {
    throw limit.refusal(shownRoute(route)) ?? fetchRefusal(shownRoute(route), error, { maxBytes });
  } finally {
    limit.end();
    // Not awaited: a connection that is being opened runs until its own timeout.
    dispatcher.destroy().catch(() => {});
  }
}

async function answerOf(
  response: Dispatcher.ResponseData,
  route: Route,
  limits: { maxBytes: number; signal: AbortSignal },
): Promise<FetchAnswer> {
  const { statusCode: status, headers } = response;
  if (status < 200 || status > 299) {
    discardBody(response);
    if (status === 304) return { kind: "unchanged" };
    throw statusRefusal(shownRoute(route), status, headerText(headers["retry-after"]));
  }
  const bytes = await readBody(response.body, headerText(headers["content-encoding"]), limits);
  return {
    kind: "fetched",
    bytes,
    contentType: headerText(headers["content-type"]) ?? null,
    etag: validator(headers.etag),
    lastModified: validator(headers["last-modified"]),
    url: route.at.href,
    movedTo: route.hops > 0 && route.permanent ? route.at.href : null,
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

/** The redirects followed so far. */
export interface Route {
  start: URL;
  at: URL;
  hops: number;
  /** Whether every hop was. */
  permanent: boolean;
}

export type Get = (url: URL) => Promise<Dispatcher.ResponseData>;

const mostRedirects = 5;

/** @throws Refusal 422 for an address that is not http(s) */
export function startRoute(url: string): Route {
  if (!isWebAddress(url)) throw new Refusal(422, "source_address_invalid");
  const start = new URL(url);
  return { start, at: start, hops: 0, permanent: true };
}

/**
 * Follows redirects to the first other response; `route` holds its address. undici does not follow them, because each hop
 * has to be checked.
 * @throws Refusal 422 for too many redirects or one to another protocol, 502 for one without a target; what `get` throws
 */
export async function follow(route: Route, get: Get): Promise<Dispatcher.ResponseData> {
  for (;;) {
    const response = await get(route.at);
    const { statusCode: status } = response;
    if (![301, 302, 303, 307, 308].includes(status)) return response;
    discardBody(response);
    const target = redirectTarget(headerText(response.headers.location), route.at, shownRoute(route));
    route.hops += 1;
    if (route.hops > mostRedirects) {
      throw new Refusal(422, "source_redirect_loop", { url: shownUrl(route.start), most: mostRedirects });
    }
    route.permanent &&= status === 301 || status === 308;
    route.at = target;
  }
}

/** The address without user and password, which are sent in a header, and without fragment. */
export function addressOf(url: URL): string {
  return url.origin + url.pathname + url.search;
}

/** Discards the body of a response, and any error in it. */
function discardBody({ body }: Dispatcher.ResponseData): void {
  body.on("error", () => {}).destroy();
}

function headerText(header: string | string[] | undefined): string | undefined {
  return Array.isArray(header) ? header.join(", ") : header;
}

/** The address and the target of its redirects, without secrets. */
function shownRoute({ start, at }: Route): string {
  return start.href === at.href ? shownUrl(start) : `${shownUrl(start)} → ${shownUrl(at)}`;
}

function isWebAddress(url: string): boolean {
  return URL.canParse(url) && /^https?:$/.test(new URL(url).protocol);
}

/** User and password are only sent to the origin they were given for: not to another host, and not over plain http. */
function redirectTarget(location: string | undefined, from: URL, shown: string): URL {
  if (location === undefined || location.length > longestUrl || !URL.canParse(location, from.href)) {
    throw new Refusal(502, "source_redirect_invalid", { url: shown });
  }
  const target = new URL(location, from);
  if (!isWebAddress(target.href)) throw new Refusal(422, "source_redirect_not_web", { url: shown });
  const same = target.origin === from.origin;
  target.username = same ? from.username : "";
  target.password = same ? from.password : "";
  return target;
}

const statusCodes: Readonly<Record<number, ErrorCode | undefined>> = {
  401: "source_login_required",
  403: "source_forbidden",
  404: "source_missing",
  410: "source_gone",
  429: "source_rate_limited",
};

/** Statuses that may come with Retry-After: RFC 6585 §4 and RFC 9110 §15.6.4. */
const withRetryAfter = new Set([429, 503]);

/** The refusal for a status other than success. `details.retryAfter` is the header as it was sent. */
function statusRefusal(url: string, httpStatus: number, retryAfter?: string): Refusal {
  const ours = httpStatus >= 400 && httpStatus < 500 && httpStatus !== 408 && httpStatus !== 429;
  const code = statusCodes[httpStatus] ?? (ours ? "source_status_refused" : "source_status_failed");
  return new Refusal(ours ? 422 : 502, code, {
    url,
    httpStatus,
    ...(retryAfter !== undefined && withRetryAfter.has(httpStatus) ? { retryAfter: retryAfter.slice(0, 100) } : {}),
  });
}

/**
 * The refusal for anything that a fetch can throw: 422 where the address has to change, 502 where the other side failed.
 * @param url without secrets, as `shownUrl` returns it
 */
function fetchRefusal(url: string, thrown: unknown, limits: { maxBytes: number }): Refusal {
  const error = innermost(thrown);
  if (error instanceof Refusal) return error;
  if (error instanceof PrivateAddress) {
    return new Refusal(422, "source_private_address", { url, address: error.address });
  }
  if (error instanceof TooLong) {
    return new Refusal(422, "source_too_large", { url, megabytes: limits.maxBytes / 1_000_000 });
  }
  if (error instanceof UnknownCoding) {
    return new Refusal(502, "source_encoding_unsupported", { url, encoding: error.message });
  }
  const code = codeOf(error);
  if (code === "ENOTFOUND") return new Refusal(422, "source_host_not_found", { url });
  if (code === "EAI_AGAIN") return new Refusal(502, "source_dns_failed", { url });
  if (code === "ECONNREFUSED") return new Refusal(502, "source_connection_refused", { url });
  if (code === "UND_ERR_CONNECT_TIMEOUT" || code === "ETIMEDOUT")
    return new Refusal(502, "source_unreachable", { url });
  // Brotli's codes in Node begin with ERR__ERROR_.
  if (/^Z_|^ERR__ERROR_|^ERR_BROTLI/.test(code)) return new Refusal(502, "source_encoding_broken", { url });
  if (/CERT|^ERR_TLS|^ERR_SSL|SELF_SIGNED|UNABLE_TO_/.test(code)) {
    return new Refusal(502, "source_certificate_invalid", { url, reason: code });
  }
  return new Refusal(502, "source_read_failed", { url, reason: reasonOf(error).replace(/\.$/, "") });
}

/** Connecting to several addresses fails with one error for each; undici and fetch wrap others as a cause. */
export function innermost(error: unknown): unknown {
  if (error instanceof AggregateError && error.errors.length > 0) return innermost(error.errors[0]);
  return error instanceof Error && error.cause instanceof Error ? innermost(error.cause) : error;
}

/** The error code of the system, TLS or undici, such as `ECONNREFUSED`; empty if there is none. */
export function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : "";
}
