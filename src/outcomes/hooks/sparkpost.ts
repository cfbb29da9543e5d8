import { codeOf, eventOf, refusedByService, type HookEvent } from "./event.ts";
import { listAt, textAt, timeAt, valueAt } from "./json.ts";

/** `bounce_class` (support.sparkpost.com/docs/deliverability/bounce-classification-codes). Those that are missing say no more than the reply. */
const classes = new Map([
  ["10", "5.1.1"],
  ["21", "4.4.4"],
  ["22", "4.2.2"],
  ["23", "5.3.4"],
  ["24", "4.4.7"],
  ["50", "5.7.1"],
  ["51", "5.7.1"],
  ["52", "5.7.1"],
  ["53", "5.7.1"],
  ["54", "5.7.1"],
]);
/** SparkPost's own policies, such as its suppression list. */
const own = new Set(["25", "26"]);
/** Automatic replies, requests to subscribe or unsubscribe, and challenges. */
const replies = new Set(["60", "80", "90", "100"]);
const delayed = "70";

/**
 * Bounces and complaints of SparkPost (developers.sparkpost.com/api/webhooks). `policy_rejection`, `generation_failure` and
 * `generation_rejection` are emails that SparkPost refused itself. A `delay` is no bounce, and unsubscribing with a link of SparkPost's is
 * not recorded here.
 */
export function sparkPostEvents(body: unknown): HookEvent[] {
  return listAt(body).flatMap((item) => {
    const msys = valueAt(item, "msys");
    const event = ["message_event", "gen_event"].map((name) => valueAt(msys, name)).find((one) => one !== undefined);
    const about = {
      address: textAt(event, "rcpt_to"),
      at: timeAt(event, "timestamp"),
      returnPath: textAt(event, "msg_from"),
    };
    const type = textAt(event, "type");
    const bounceClass = textAt(event, "bounce_class") ?? "";
    const text = textAt(event, "raw_reason") ?? textAt(event, "reason");
    const bounced = (code: string | null) => eventOf({ ...about, outcome: "bounced", code, text });
    switch (type) {
      case "bounce":
      case "out_of_band":
        if (replies.has(bounceClass) || (type === "out_of_band" && bounceClass === delayed)) return [];
        if (own.has(bounceClass)) return bounced(refusedByService);
        return bounced(codeOf({ text, reply: textAt(event, "error_code") }, classes.get(bounceClass) ?? null));
      case "policy_rejection":
      case "generation_failure":
      case "generation_rejection":
        return bounced(refusedByService);
      case "spam_complaint":
        return eventOf({ ...about, outcome: "complained", code: null, text: null });
      default:
        return [];
    }
  });
}
