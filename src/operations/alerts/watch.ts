import { hostname } from "node:os";
import type { Clock } from "../../base/clock.ts";
import type { Log } from "../../base/log.ts";
import { withoutAddress } from "../../base/mask-address.ts";
import type { Db } from "../../db/schema.ts";
import type { Wake } from "../../queue/contract.ts";
import { compareAlerts } from "./compare.ts";
import { findTrouble, patienceMs } from "./conditions.ts";
import { makeCalls } from "./make-calls.ts";
import { forgetAlerts, insertAlerts, loadFacts, lockAlerts, markAlerts, openAlerts, rewordAlert } from "./store.ts";
import { tell, type AlertWays, type Message } from "./notify.ts";

export interface AlertDeps {
  db: Db;
  clock: Clock;
  log: Log;
  wake: Wake;
  transport: { state(): { reason: string | null } };
  options: AlertWays & { publicationName: string; publicUrl: string; alertNotSent: number };
}

/**
 * Finds problems and alerts operators, once when a problem starts and once when it ends, then makes the webhook calls
 * that are due. An alert is marked as sent in the same transaction that queues its emails and calls.
 */
export async function watchAlerts(deps: AlertDeps): Promise<void> {
  const messages = await compareAndTell(deps);
  for (const { alert, what, sentence } of messages) {
    const fields = { alert: alert?.kind, subject: alert?.subject };
    if (what === "raised") deps.log.warn(fields, withoutAddress(sentence));
    else deps.log.info(fields, "alert cleared");
  }
  if (messages.length > 0 && deps.options.alertMail.length > 0) await deps.wake("send-notices", {});
  await makeCalls(deps);
}

async function compareAndTell({ db, clock, transport, options }: AlertDeps): Promise<Message[]> {
  const now = clock.now();
  const host = hostname();
  const { reason } = transport.state();
  return db.transaction().execute(async (tx) => {
    await lockAlerts(tx);
    const troubles = findTrouble({
      ...(await loadFacts(tx, now)),
      now,
      relay: { host, reason: reason === null ? null : withoutAddress(reason) },
      notSentLimit: options.alertNotSent,
    }).map((trouble) => ({ ...trouble, sentence: withoutAddress(trouble.sentence) }));
    const changes = compareAlerts(await openAlerts(tx), troubles, now, host);
    const seen = await insertAlerts(tx, changes.seen, now);
    const told = [...seen.filter((alert) => patienceMs[alert.kind] === 0), ...changes.told];
    await markAlerts(tx, told, { told_at: now });
    await markAlerts(tx, [...changes.cleared, ...changes.dropped], { cleared_at: now });
    for (const { id, sentence } of changes.reworded) await rewordAlert(tx, id, sentence);
    await forgetAlerts(tx, now);
    const messages: Message[] = [
      ...told.map((alert) => ({ alert, what: "raised" as const, sentence: alert.sentence })),
      ...changes.cleared.map((alert) => ({ alert, what: "cleared" as const, sentence: alert.sentence })),
    ];
    for (const message of messages) await tell(tx, message, { options, now });
    return messages;
  });
}

/** Sends a test alert to every configured address and webhook. @returns how many of each there are */
export async function testAlerts(deps: AlertDeps): Promise<{ mails: number; calls: number }> {
  const { db, clock, options } = deps;
  const sentence = "This is a test. An operator sent it to check that alerts arrive.";
  await db.transaction().execute(async (tx) => {
    await tell(tx, { alert: null, what: "raised", sentence }, { options, now: clock.now() });
  });
  await deps.wake("send-notices", {});
  await makeCalls(deps);
  return { mails: options.alertMail.length, calls: options.alertWebhook === null ? 0 : 1 };
}
