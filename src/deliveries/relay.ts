import type { Clock } from "../base/clock.ts";
import type { Db, Tx } from "../db/schema.ts";
import type { QuotaPeriod } from "../mail/quota.ts";
import { currentRate } from "../mail/shared-limits.ts";
import type { Transport } from "../mail/transport.ts";
import { sharedLimits } from "../ledger/limit-store.ts";
import type { Message } from "../texts/catalogue.ts";

/** The relay as this process sees it, and what all workers share. */
export interface RelayState {
  /** Connections of this process. */
  open: number;
  busy: number;
  /** Nothing is sent before then. */
  pausedUntil: Date | null;
  /** The last failure, until the relay has recovered. */
  reason: string | Message | null;
  /** The relay's quota that is used up. */
  quota: QuotaPeriod | null;
  /** All workers are paused, and an operator can end the pause. */
  resumable: boolean;
  /** Emails per second that all workers may send together; null for no limit. */
  rate: number | null;
  /** Whether the relay got too much, so that the rate is lower than in the settings. */
  slowed: boolean;
}

export interface RelayDeps {
  db: Db | Tx;
  clock: Clock;
  transport: Pick<Transport, "state">;
  options: { smtpRate: number | null };
}

/** A failure that this process knows of comes first, because it may be the only one that cannot reach the relay. */
export async function relayState({ db, clock, transport, options }: RelayDeps): Promise<RelayState> {
  const own = transport.state();
  const { limits, now } = await sharedLimits(db);
  const { pause } = limits;
  const waitMs = pause ? pause.until - now : 0;
  const pausedUntil = waitMs > 0 ? new Date(clock.now().getTime() + waitMs) : null;
  const rate = currentRate(limits, options.smtpRate, now);
  return {
    open: own.open,
    busy: own.busy,
    ...(pause?.quota || own.reason === null
      ? { pausedUntil, reason: pause?.reason ?? null }
      : { pausedUntil: own.pausedUntil, reason: own.reason }),
    quota: pause?.quota ?? null,
    resumable: waitMs > 0,
    rate,
    slowed: rate !== options.smtpRate,
  };
}
