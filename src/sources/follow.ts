import type { Dispatcher } from "undici";
import { Refusal } from "../base/errors.ts";
import { longestUrl } from "../render/plain.ts";
import { shownUrl } from "./address.ts";

/** The way through redirects, so far. */
export interface Way {
  start: URL;
  at: URL;
  hops: number;
  /** Whether every hop was. */
  permanent: boolean;
}

export type Get = (url: URL) => Promise<Dispatcher.ResponseData>;

const mostRedirects = 5;

/** @param what the address is of, at the start of a sentence @throws Refusal 422 for one that is not http(s) */
export function setOut(url: string, what: string): Way {
  const start = webAddress(url, what);
  return { start, at: start, hops: 0, permanent: true };
}

/**
 * Asks until there is an answer that is no redirect; `way` says where that was. Redirects are followed here and not by
 * undici, so that each hop is looked at.
 * @throws Refusal 422 for too many, or one to no web address; 502 for one to nowhere; and what `get` throws
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
      const what = shownUrl(way.start);
      throw new Refusal(422, `${what} redirects more than ${mostRedirects} times: use the address it should end at.`);
    }
    way.permanent &&= status === 301 || status === 308;
    way.at = target;
  }
}

/** The address as it is asked for: user and password travel in a header of their own, a fragment not at all. */
export function addressOf(url: URL): string {
  return url.origin + url.pathname + url.search;
}

/** The body of an answer that is not read is of no interest, whatever becomes of it. */
export function leave({ body }: Dispatcher.ResponseData): void {
  body.on("error", () => {}).destroy();
}

export function headerText(header: string | string[] | undefined): string | undefined {
  return Array.isArray(header) ? header.join(", ") : header;
}

/** The address, and where it has led to, fit to be shown. */
export function shownWay({ start, at }: Way): string {
  return start.href === at.href ? shownUrl(start) : `${shownUrl(start)} (redirected to ${shownUrl(at)})`;
}

function webAddress(url: string, what: string): URL {
  if (URL.canParse(url) && /^https?:$/.test(new URL(url).protocol)) return new URL(url);
  throw new Refusal(422, `${what} has no http:// or https:// address that could be fetched.`);
}

/** The user and password of the address stay with its origin: another host, or plain http, never gets to see them. */
function redirectTarget(location: string | undefined, from: URL, what: string): URL {
  if (location === undefined || location.length > longestUrl || !URL.canParse(location, from.href)) {
    throw new Refusal(502, `${what} redirects without saying where to: tell its publisher.`);
  }
  const target = webAddress(new URL(location, from).href, `What ${what} redirects to`);
  const same = target.origin === from.origin;
  target.username = same ? from.username : "";
  target.password = same ? from.password : "";
  return target;
}
