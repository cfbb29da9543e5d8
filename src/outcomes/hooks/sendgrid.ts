import { codeOf, eventOf, refusedByService, type HookEvent } from "./event.ts";
import { listAt, textAt, timeAt } from "./json.ts";

/** `bounce_classification` (docs.sendgrid.com, Bounces and "Bounce classifications"), in lower case. */
const classes = new Map([
  ["invalid address", "5.1.1"],
  ["mailbox unavailable", "4.2.0"],
  ["technical", "4.4.0"],
  ["technical failure", "4.4.0"],
  ["content", "5.7.1"],
  ["reputation", "5.7.1"],
  ["frequency or volume too high", "4.7.0"],
]);

/**
 * Bounces and complaints of Twilio SendGrid (twilio.com/docs/sendgrid/for-developers/tracking-events/event). A `dropped` email was not
 * sent, mostly because of a list that SendGrid keeps. Only the reason `Invalid` says that the address doesn't exist. A `deferred` email
 * is tried again, and unsubscribing with a link of SendGrid's is not recorded here.
 */
export function sendGridEvents(body: unknown): HookEvent[] {
  return listAt(body).flatMap((event) => {
    const about = {
      address: textAt(event, "email"),
      at: timeAt(event, "timestamp"),
      messageId: textAt(event, "smtp-id"),
    };
    const text = textAt(event, "reason");
    switch (textAt(event, "event")) {
      case "bounce": {
        const meaning = classes.get(textAt(event, "bounce_classification")?.toLowerCase() ?? "") ?? null;
        const code = codeOf({ text, status: textAt(event, "status") }, meaning);
        return eventOf({ ...about, outcome: "bounced", code, text });
      }
      case "dropped":
        return eventOf({ ...about, outcome: "bounced", code: text === "Invalid" ? "5.1.1" : refusedByService, text });
      case "spamreport":
        return eventOf({ ...about, outcome: "complained", code: null, text: null });
      default:
        return [];
    }
  });
}
