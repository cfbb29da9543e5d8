import { writeAudit } from "../audit/audit.ts";
import { Refusal } from "../base/errors.ts";
import { testAlerts, type AlertDeps } from "./watch.ts";

/**
 * Sends a test alert to every configured address and webhook.
 * @returns how many of each there are
 * @throws Refusal 429 for too many tests, 409 if neither an address nor a webhook is set
 */
export async function sendTestAlert(
  deps: AlertDeps & { caps: { countTest(actor: string): Promise<void> } },
  actor: string,
): Promise<{ mails: number; calls: number }> {
  const { db, clock, caps, options } = deps;
  await caps.countTest(actor);
  if (options.alertMail.length === 0 && options.alertWebhook === null) throw new Refusal(409, "alert_way_missing");
  const sent = await testAlerts(deps);
  await writeAudit(db, { at: clock.now(), actor, action: "alert test", subject: "alerts", detail: sent });
  return sent;
}
