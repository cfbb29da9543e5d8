import type { FastifyInstance, FastifyRequest } from "fastify";
import type { App } from "../../app.ts";
import { Refusal } from "../../base/errors.ts";
import { ownLinks, type OwnLinks, type Purpose, readLinkToken } from "../../subscribers/tokens.ts";
import { findByKeys, type Subscriber } from "../../subscribers/store.ts";
import { together } from "../../base/async.ts";
import { type CountFailure, limitFailures } from "../limits.ts";

export type LinkRequest = FastifyRequest<{ Params: { token: string } }>;

/**
 * The reader whose link it is.
 * @throws Refusal 410 for a link of ours whose reader is here no more, 404 for a token that is none, 429 for too many of
 * those
 */
export type FindReader = (request: LinkRequest, purpose: Purpose) => Promise<Subscriber>;

const failuresPerMinute = 30;

/** Counts links that were made up, of whatever kind. */
export function limitMadeUpLinks(web: FastifyInstance): CountFailure {
  return limitFailures(web, failuresPerMinute);
}

export function findReader(countFailure: CountFailure, { db, options }: Pick<App, "db" | "options">): FindReader {
  // Many who open their links at the same time are one query.
  const find = together((keys: Buffer[]) => findByKeys(db, keys));
  return async (request, purpose) => {
    const key = readLinkToken(options.secret, purpose, request.params.token);
    const reader = key === null ? null : await find(key);
    if (reader) return reader;
    if (key !== null) {
      // Erased, or of a server that was moved: to say that no more mail comes would be wrong for the second.
      throw new Refusal(410, "reader_link_dead");
    }
    await countFailure(request);
    throw new Refusal(404, "reader_link_incomplete");
  };
}

/** An address for its own reader to know it by: a page may be open where others see it. */
export function maskedAddress({ address }: Subscriber): string {
  return address.replace(/^(.).*(?=@)/, "$1…");
}

/** The paths of a reader's own pages. */
export function readerPaths(secret: string, { key }: Subscriber): OwnLinks {
  return ownLinks({ secret, publicUrl: "" }, key);
}

/** Whether a reader who has left can come back with one click: not without a confirmation, nor when the address is suppressed. */
export function mayUndo({ status, confirmedAt }: Subscriber): boolean {
  return status === "unsubscribed" && confirmedAt !== null;
}
