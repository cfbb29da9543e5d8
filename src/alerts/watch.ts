import type { Message } from "../texts/catalogue.ts";
import { randomUUID } from "node:crypto";
import { hostname } from "node:os";
import type { Clock } from "../base/clock.ts";
import type { Log } from "../base/log.ts";
import { withoutAddress } from "../base/address.ts";
import type { Db, Tx } from "../db/schema.ts";
import { alertInWords, alertTexts, type AlertMessage } from "../texts/alerts.ts";
import type { Wake } from "../queue/contract.ts";
import { sharedLimits } from "../ledger/limit-store.ts";
import { addNotice } from "../subscribers/notices.ts";
import { makeCalls, type CallLedger } from "./calls.ts";
import { compareAlerts, findTrouble, patienceMs, type OpenAlert } from "./conditions.ts";
import { changeAlert, forgetAlerts, insertAlerts, loadFacts, lockAlerts, markAlerts, openAlerts } from "./store.ts";

/** Where alerts go: email addresses and a webhook. Either may be empty. */
interface AlertWays {
  alertMail: readonly string[];
  alertWebhook: { url: string; secret: string } | null;
}

export interface AlertDeps {
  db: Db;
  clock: Clock;
  log: Log;
  wake: Wake;
  transport: { state(): { reason: string | Message | null } };
  callLedger: CallLedger;
  options: AlertWays & { publicationName: string; publicUrl: string; alertNotSent: number };
}

/** A message to operators; `alert` is null for a test. */
interface Notification {
  alert: OpenAlert | null;
  event: AlertMessage["event"];
}

/**
 * Finds problems and alerts operators, once when a problem starts and once when it ends, then makes the webhook calls
 * that are due. An alert is marked as notified in the same transaction that queues its emails and calls.
 */
export async function watchAlerts(deps: AlertDeps): Promise<void> {
  const sent = await compareAndNotify(deps);
  for (const { alert, event } of sent) {
    const fields = { alert: alert?.kind, subject: alert?.subject };
    if (event === "raised") deps.log.warn(fields, alert ? alertInWords(alert) : "alert raised");
    else deps.log.info(fields, "alert cleared");
  }
  if (sent.length > 0 && deps.options.alertMail.length > 0) await deps.wake("send-notices", {});
  await makeCalls(deps);
}

async function compareAndNotify({ db, clock, transport, options }: AlertDeps): Promise<Notification[]> {
  const now = clock.now();
  const host = hostname();
  const { reason } = transport.state();
  return db.transaction().execute(async (tx) => {
    await lockAlerts(tx);
    const { pause } = (await sharedLimits(tx)).limits;
    const open = await openAlerts(tx);
    const facts = {
      ...(await loadFacts(tx, now)),
      complaining: new Set(open.filter(({ kind }) => kind === "complaints").map(({ subject }) => subject)),
      now,
      relay: { host, reason },
      quota: pause?.quota ? { period: pause.quota, reply: pause.reason } : null,
      notSentLimit: options.alertNotSent,
    };
    const troubles = findTrouble(facts).map(
      (trouble) => ({ ...trouble, data: masked(trouble.data) }) as typeof trouble,
    );
    const changes = compareAlerts(open, troubles, now, { editions: facts.editions, host });
    const seen = await insertAlerts(tx, changes.seen, now);
    const raised = [...seen.filter((alert) => patienceMs[alert.kind] === 0), ...changes.notify];
    await markAlerts(tx, raised, { notified_at: now });
    await markAlerts(tx, [...changes.cleared, ...changes.dropped], { cleared_at: now });
    for (const { id, data } of changes.changed) await changeAlert(tx, id, data);
    await forgetAlerts(tx, now);
    const notifications: Notification[] = [
      ...raised.map((alert) => ({ alert, event: "raised" as const })),
      ...changes.cleared.map((alert) => ({ alert, event: "cleared" as const })),
    ];
    for (const notification of notifications) await notify(tx, notification, { options, now });
    return notifications;
  });
}

/** The same data without addresses, which replies of relays contain. */
function masked(data: unknown): unknown {
  if (typeof data === "string") return withoutAddress(data);
  if (Array.isArray(data)) return data.map(masked);
  if (typeof data !== "object" || data === null) return data;
  return Object.fromEntries(Object.entries(data).map(([name, value]) => [name, masked(value)]));
}

/** Queues one email per address and one webhook call, in the transaction that marks the alert as notified. */
async function notify(
  tx: Tx,
  { alert, event }: Notification,
  { options, now }: { options: AlertDeps["options"]; now: Date },
): Promise<void> {
  const { kind, subject, data } = alert ?? { kind: "test", subject: "test", data: {} };
  const payload = { event, kind, data };
  for (const address of options.alertMail) {
    await addNotice(tx, { kind: "alert", subscriberId: null, address, payload }, now);
  }
  if (options.alertWebhook === null) return;
  const { sentence } = alertTexts(payload);
  const about = { alert: alert?.id ?? null, kind, subject, sentence, data };
  const call = { ...about, publication: options.publicationName, url: `${options.publicUrl}/operator` };
  const body = JSON.stringify({ type: `alert.${event}`, timestamp: now.toISOString(), data: call });
  await tx.insertInto("alert_calls").values({ id: randomUUID(), body, due_at: now, created_at: now }).execute();
}

/** Sends a test alert to every configured address and webhook. @returns how many of each there are */
export async function testAlerts(deps: AlertDeps): Promise<{ mails: number; calls: number }> {
  const { db, clock, options } = deps;
  await db.transaction().execute((tx) => notify(tx, { alert: null, event: "raised" }, { options, now: clock.now() }));
  await deps.wake("send-notices", {});
  await makeCalls(deps);
  return { mails: options.alertMail.length, calls: options.alertWebhook === null ? 0 : 1 };
}
