import type { Clock } from "../base/clock.ts";
import type { Log } from "../base/log.ts";
import { withoutAddress } from "../base/address.ts";
import type { Db } from "../db/schema.ts";
import { bounce } from "../subscribers/suppressions.ts";
import { refusalKind } from "./bounce-kind.ts";
import { suppressUnlessMany } from "./record.ts";
import { isGivenUp } from "./soft-row.ts";
import {
  isActive,
  lastFates,
  lockCounts,
  markRefusalsRead,
  refusedDeliveries,
  unreadEditions,
  writeCounts,
  type RefusedDelivery,
} from "./store.ts";

export interface GiveUpDeps {
  db: Db;
  clock: Clock;
  log: Log;
  options: { secret: string };
}

/** After an outage, what was closed before is left to the next edition. */
const lookedBackMs = 3 * 24 * 3_600_000;
const pageSize = 500;

/**
 * Suppresses readers whose mailbox has been full or disabled for long according to the relay itself, as `recordOutcome` does when a later
 * server says so. Looks at each closed edition once, so that a suppression that an operator has removed does not come back without a
 * further refusal.
 */
export async function giveUpMailboxes(deps: GiveUpDeps): Promise<void> {
  const { db, clock, log } = deps;
  for (const editionId of await unreadEditions(db, new Date(clock.now().getTime() - lookedBackMs))) {
    let suppressed = 0;
    for (let after = 0; ;) {
      const page = await refusedDeliveries(db, editionId, { after, limit: pageSize });
      for (const one of await givenUp(deps, page)) if (await suppressOne(deps, one)) suppressed += 1;
      if (page.length < pageSize) break;
      after = page.at(-1)!.id;
    }
    await markRefusalsRead(db, editionId);
    if (suppressed > 0) log.info({ edition: editionId, suppressed }, "mailboxes given up");
  }
}

/** Asks once for all of a page, because thousands of mailboxes can be full and this runs every minute. */
async function givenUp({ db, clock }: GiveUpDeps, page: readonly RefusedDelivery[]): Promise<RefusedDelivery[]> {
  const soft = page.filter(({ reply }) => refusalKind(reply) === "soft");
  const fates = await lastFates(
    db,
    soft.map(({ reader }) => reader.id),
  );
  return soft.filter(({ reader }) => isGivenUp(fates.get(reader.id) ?? [], clock.now()));
}

async function suppressOne({ db, clock, options }: GiveUpDeps, delivery: RefusedDelivery): Promise<boolean> {
  const { editionId, reader, reply } = delivery;
  return db.transaction().execute(async (tx) => {
    const counts = await lockCounts(tx, editionId);
    // Another worker may have done the same, or the reader has left.
    if (!(await isActive(tx, reader.id))) return false;
    const about = { addressKey: reader.addressKey, detail: withoutAddress(reply), source: "relay", editionId } as const;
    const suppressed = await suppressUnlessMany(
      tx,
      options.secret,
      { ...about, reason: bounce },
      { counts, now: clock.now() },
    );
    await writeCounts(tx, editionId, counts);
    return suppressed;
  });
}
