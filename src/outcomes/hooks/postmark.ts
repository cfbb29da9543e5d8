import { codeOf, eventOf, refusedByService, type HookEvent } from "./event.ts";
import { textAt, timeAt } from "./json.ts";

/** What a type means if the server gave no exact code; null for no more than that it bounced. */
const types = new Map([
  ["HardBounce", "5.1.1"],
  ["BadEmailAddress", "5.1.3"],
  ["SoftBounce", "4.2.0"],
  ["DnsError", "4.4.4"],
  ["Unknown", null],
  ["Blocked", "5.7.1"],
  ["SpamNotification", "5.7.1"],
  ["VirusNotification", "5.7.1"],
  ["DMARCPolicy", "5.7.1"],
]);
/** Postmark refused the email itself. */
const own = new Set(["ManuallyDeactivated", "SMTPApiError"]);

/**
 * The bounce or complaint of a call by Postmark (postmarkapp.com/developer/webhooks/bounce-webhook and spam-complaint-webhook; the types
 * are in postmarkapp.com/developer/api/bounce-api). `Transient` is a delay, and types such as `AutoResponder`, `AddressChange` and
 * `ChallengeVerification` are replies to an email that arrived. `SubscriptionChange` is about a list that Postmark keeps.
 */
export function postmarkEvents(body: unknown): HookEvent[] {
  const about = { address: textAt(body, "Email"), at: timeAt(body, "BouncedAt") };
  const record = textAt(body, "RecordType");
  const type = textAt(body, "Type") ?? "";
  if (record === "SpamComplaint" || (record === "Bounce" && type === "SpamComplaint"))
    return eventOf({ ...about, outcome: "complained", code: null, text: null });
  if (record !== "Bounce") return [];
  const text = textAt(body, "Details")?.replace(/^smtp; */i, "") ?? null;
  if (own.has(type)) return eventOf({ ...about, outcome: "bounced", code: refusedByService, text });
  const meaning = types.get(type);
  return meaning === undefined ? [] : eventOf({ ...about, outcome: "bounced", code: codeOf({ text }, meaning), text });
}
