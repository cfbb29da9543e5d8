import { reasonOf, Refusal } from "../base/errors.ts";
import type { ErrorCode } from "../wording/catalogue.ts";
import { TooLong, UnknownCoding } from "./body.ts";
import { PrivateAddress } from "./guard.ts";

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
export function statusRefusal(url: string, httpStatus: number, retryAfter?: string): Refusal {
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
export function fetchRefusal(url: string, thrown: unknown, limits: { maxBytes: number }): Refusal {
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
