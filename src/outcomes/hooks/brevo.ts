import { codeOf, eventOf, refusedByService, type HookEvent } from "./event.ts";
import { textAt, timeAt } from "./json.ts";

/**
 * Bounces and complaints of Brevo (developers.brevo.com/docs/transactional-webhooks), one event or a batch
 * (developers.brevo.com/docs/batch-webhooks). `blocked` is a list that Brevo keeps, `deferred` is tried again, and `error` does not say
 * whose fault it was. Unsubscribing with a link of Brevo's is not recorded here. Only `ts_epoch` is always in UTC.
 */
export function brevoEvents(body: unknown): HookEvent[] {
  const events: readonly unknown[] = Array.isArray(body) ? body : [body];
  return events.flatMap((event) => {
    const about = {
      address: textAt(event, "email"),
      at: timeAt(event, "ts_epoch"),
      messageId: textAt(event, "message-id"),
    };
    const text = textAt(event, "reason");
    const bounced = (code: string | null) => eventOf({ ...about, outcome: "bounced", code, text });
    switch (textAt(event, "event")) {
      case "hard_bounce":
        return bounced(codeOf({ text }, "5.1.1"));
      case "soft_bounce":
        return bounced(codeOf({ text }, null));
      case "invalid_email":
        return bounced(codeOf({ text }, "5.1.3"));
      case "blocked":
        return bounced(refusedByService);
      case "spam":
      case "complaint":
        return eventOf({ ...about, outcome: "complained", code: null, text: null });
      default:
        return [];
    }
  });
}
