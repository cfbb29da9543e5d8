import { Resolver } from "node:dns/promises";
import { isReservedName } from "../base/address.ts";
import { eachLimited, within } from "../base/async.ts";
import type { Clock } from "../base/clock.ts";
import type { Log } from "../base/log.ts";
import { ticks } from "../mail/rate-limiter.ts";
import type { Db } from "../db/schema.ts";
import { providerOf } from "./provider-of.ts";
import { domainsToLookUp, writeLookedUp, type LookedUp } from "./store.ts";

/** @returns the host names of a domain's MX records, the most preferred first; empty if it has none */
export type ResolveMx = (domain: string) => Promise<string[]>;

const hourMs = 3_600_000;
/** Providers change rarely. A failure may be this machine's own, and DNS answers again soon. */
const keepMs = 7 * 24 * hourMs;
const keepFailureMs = hourMs;
const mostAtOnce = 10;
const answerMs = 3_000;
/** One run is short, so that a resolver that hangs keeps no job for long. The rest waits for the next run. */
const runMs = 20_000;
const mostInRun = 500;

/**
 * Looks up the providers of an edition's domains, those with the most readers first. Nothing waits for this: without an
 * answer a domain stands for itself.
 * @returns whether more domains are left, which another run may get
 */
export async function lookUpProviders(
  deps: { db: Db; clock: Clock; log: Log; resolveMx: ResolveMx },
  editionId: number,
  signal: AbortSignal,
): Promise<boolean> {
  const { db, clock, log } = deps;
  const domains = await domainsToLookUp(db, { editionId, now: clock.now(), most: mostInRun });
  const found: LookedUp[] = [];
  const end = ticks() + runMs;
  let failed = 0;
  await eachLimited(domains, mostAtOnce, async (domain) => {
    if (signal.aborted || ticks() > end) return;
    const { provider, sure } = await lookUp(deps.resolveMx, domain);
    if (!sure) failed += 1;
    found.push({ domain, provider, expiresAt: new Date(clock.now().getTime() + (sure ? keepMs : keepFailureMs)) });
  });
  if (found.length === 0) return false;
  await writeLookedUp(db, found, clock.now());
  const none = failed === found.length;
  log.debug({ edition: editionId, domains: found.length, failed }, "mailbox providers looked up");
  // If all lookups failed, DNS is away, and the next run would fail too.
  return !none && (domains.length === mostInRun || found.length < domains.length);
}

/** RFC 6761 §6.3 and RFC 6762: names of this machine and this network. */
const local = /(?:^|\.)(?:localhost|local)$/;

async function lookUp(resolveMx: ResolveMx, domain: string): Promise<{ provider: string; sure: boolean }> {
  if (isReservedName(domain) || local.test(domain)) return { provider: domain, sure: true };
  try {
    return { provider: providerOf(domain, await within(answerMs, resolveMx(domain))), sure: true };
  } catch (error) {
    return { provider: domain, sure: hasNoMx(error) };
  }
}

/** The name server answered that there are none. */
function hasNoMx(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException;
  return code === "ENODATA" || code === "ENOTFOUND";
}

/** Asks this machine's name servers. */
export function systemResolver(): ResolveMx {
  const resolver = new Resolver({ timeout: 1_000, tries: 2 });
  return async (domain) => {
    const records = await resolver.resolveMx(domain);
    return records.toSorted((one, other) => one.priority - other.priority).map(({ exchange }) => exchange);
  };
}
