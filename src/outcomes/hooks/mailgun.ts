import { codeOf, eventOf, refusedByService, type HookEvent } from "./event.ts";
import { textAt, timeAt, valueAt } from "./json.ts";

/** `reason` of a permanent failure. The others, such as `bounce` and `generic`, mean that the server's reply says more. */
const reasons = new Map([
  ["espblock", "5.7.1"],
  ["old", "4.4.7"],
]);

/**
 * The bounce or complaint of a call by Mailgun (documentation.mailgun.com/docs/mailgun/user-manual/webhooks/webhook-payloads). A failure
 * with `"severity": "temporary"` is tried again. The reasons `suppress-…` are lists that Mailgun keeps. Unsubscribing with a link of
 * Mailgun's is not recorded here.
 */
export function mailgunEvents(body: unknown): HookEvent[] {
  const event = valueAt(body, "event-data");
  const about = {
    address: textAt(event, "recipient"),
    at: timeAt(event, "timestamp"),
    returnPath: textAt(event, "envelope", "sender"),
    messageId: textAt(event, "message", "headers", "message-id"),
  };
  const type = textAt(event, "event");
  if (type === "complained") return eventOf({ ...about, outcome: "complained", code: null, text: null });
  if (type !== "failed" || textAt(event, "severity") !== "permanent") return [];
  const status = valueAt(event, "delivery-status");
  const text = textAt(status, "message") ?? textAt(status, "description");
  const reason = textAt(event, "reason") ?? "";
  const said = { text, status: textAt(status, "enhanced-code"), reply: textAt(status, "code") };
  const code = reason.startsWith("suppress-") ? refusedByService : codeOf(said, reasons.get(reason) ?? null);
  return eventOf({ ...about, outcome: "bounced", code, text });
}
