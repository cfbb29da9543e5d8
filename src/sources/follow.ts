import type { Dispatcher } from "undici";
import { Refusal } from "../base/errors.ts";
import { longestUrl } from "../render/plain.ts";
import { shownUrl } from "./address.ts";

/** The redirects followed so far. */
export interface Way {
  start: URL;
  at: URL;
  hops: number;
  /** Whether every hop was. */
  permanent: boolean;
}

export type Get = (url: URL) => Promise<Dispatcher.ResponseData>;

const mostRedirects = 5;

/** @throws Refusal 422 for an address that is not http(s) */
export function setOut(url: string): Way {
  if (!isWebAddress(url)) throw new Refusal(422, "source_address_invalid");
  const start = new URL(url);
  return { start, at: start, hops: 0, permanent: true };
}

/**
 * Follows redirects to the first other response; `way` holds its address. undici does not follow them, because each hop
 * has to be checked.
 * @throws Refusal 422 for too many redirects or one to another protocol, 502 for one without a target; what `get` throws
 */
export async function follow(way: Way, get: Get): Promise<Dispatcher.ResponseData> {
  for (;;) {
    const response = await get(way.at);
    const { statusCode: status } = response;
    if (![301, 302, 303, 307, 308].includes(status)) return response;
    leave(response);
    const target = redirectTarget(headerText(response.headers.location), way.at, shownWay(way));
    way.hops += 1;
    if (way.hops > mostRedirects) {
      throw new Refusal(422, "source_redirect_loop", { url: shownUrl(way.start), most: mostRedirects });
    }
    way.permanent &&= status === 301 || status === 308;
    way.at = target;
  }
}

/** The address without user and password, which are sent in a header, and without fragment. */
export function addressOf(url: URL): string {
  return url.origin + url.pathname + url.search;
}

/** Discards the body of a response, and any error in it. */
export function leave({ body }: Dispatcher.ResponseData): void {
  body.on("error", () => {}).destroy();
}

export function headerText(header: string | string[] | undefined): string | undefined {
  return Array.isArray(header) ? header.join(", ") : header;
}

/** The address and the target of its redirects, without secrets. */
export function shownWay({ start, at }: Way): string {
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
