import { reasonOf, Refusal } from "../base/errors.ts";
import { TooLong, UnknownCoding } from "./body.ts";
import { PrivateAddress } from "./guard.ts";

const advice: Readonly<Record<number, string | undefined>> = {
  401: "it asks for a user and password: give them as https://user:password@…",
  403: "it does not let this server read it: ask its publisher",
  404: "there is nothing at this address: look for the feed's new one",
  410: "the feed is gone for good: remove the source",
  429: "it is asked too often and will be asked again later",
};

/** Of these RFC 6585 §4 and RFC 9110 §15.6.4 say that they may come with a Retry-After. */
const asksToWait = new Set([429, 503]);

/** What an HTTP status other than success means for a feed; `details.retryAfter` is when it may be asked again, as sent. */
export function statusRefusal(what: string, status: number, retryAfter?: string): Refusal {
  const ours = status >= 400 && status < 500 && status !== 408 && status !== 429;
  const why = advice[status] ?? (ours ? "look whether the address is right" : "it will be asked again later");
  return new Refusal(ours ? 422 : 502, `${what} answered ${status}: ${why}.`, {
    httpStatus: status,
    ...(retryAfter !== undefined && asksToWait.has(status) ? { retryAfter: retryAfter.slice(0, 100) } : {}),
  });
}

/**
 * One sentence for whatever a fetch can throw: 422 where the address has to change, 502 where the other side failed.
 * @param what the feed's address, fit to be shown
 */
export function fetchRefusal(what: string, thrown: unknown, limits: { maxBytes: number }): Refusal {
  const error = innermost(thrown);
  if (error instanceof Refusal) return error;
  if (error instanceof PrivateAddress) {
    const leads = error.host === error.address ? "is at" : "resolves to";
    return new Refusal(
      422,
      `${what} ${leads} the private address ${error.address}: ` +
        "set ALLOW_PRIVATE_SOURCES=1 if this feed is really on your own network.",
    );
  }
  if (error instanceof TooLong) {
    return new Refusal(422, `${what} is longer than ${inMegabytes(limits.maxBytes)}: ask for a feed with fewer items.`);
  }
  if (error instanceof UnknownCoding) {
    return new Refusal(502, `${what} is compressed in a way nobody asked for (${error.message}): tell its publisher.`);
  }
  const code = codeOf(error);
  if (code === "ENOTFOUND") return new Refusal(422, `${what} has a host that does not exist: check the spelling.`);
  return new Refusal(502, `${what} ${failure(code, error)}.`);
}

function failure(code: string, error: unknown): string {
  if (code === "EAI_AGAIN")
    return "could not be looked up, as the name server does not answer: it will be asked again later";
  if (code === "ECONNREFUSED")
    return "refuses connections: check the address and port, or wait until the server is back";
  if (code === "UND_ERR_CONNECT_TIMEOUT" || code === "ETIMEDOUT")
    return "cannot be reached: it will be asked again later";
  // Brotli's codes in Node begin with ERR__ERROR_.
  if (/^Z_|^ERR__ERROR_|^ERR_BROTLI/.test(code)) return "is badly compressed: tell its publisher";
  if (/CERT|^ERR_TLS|^ERR_SSL|SELF_SIGNED|UNABLE_TO_/.test(code)) {
    return `has no valid certificate (${code}): tell its publisher`;
  }
  return `could not be read (${reasonOf(error).replace(/\.$/, "")}): it will be asked again later`;
}

function inMegabytes(bytes: number): string {
  return bytes >= 1_000_000 ? `${Math.floor(bytes / 1_000_000)} MB` : `${bytes} bytes`;
}

/** Connecting to several addresses fails with one error for each; undici and fetch wrap others as a cause. */
export function innermost(error: unknown): unknown {
  if (error instanceof AggregateError && error.errors.length > 0) return innermost(error.errors[0]);
  return error instanceof Error && error.cause instanceof Error ? innermost(error.cause) : error;
}

/** What the system, TLS or undici calls it, such as `ECONNREFUSED`; empty where nobody does. */
export function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : "";
}
