import { codeOf, eventOf, refusedByService, type HookEvent } from "./event.ts";
import { listAt, textAt, timeAt, valueAt } from "./json.ts";

/** Subtypes of bounces for which Amazon has asked no server: the address is on a list of Amazon's or of the account. */
const listed = /suppress|unsubscribed/i;

/** What other subtypes mean. `Permanent` is a hard bounce; `Transient` without more is soft, and so is `Undetermined`. */
const subtypes = new Map([
  ["Permanent General", "5.1.1"],
  ["Transient MailboxFull", "4.2.2"],
  ["Transient MessageTooLarge", "5.3.4"],
  ["Transient CustomTimeoutExceeded", "4.4.7"],
  ["Transient ContentRejected", "5.6.0"],
  ["Transient AttachmentRejected", "5.6.1"],
]);

/** RFC 5965 §7.3, as `outcomes/read-report.ts` reads it. Many feedback loops give no type. */
const noComplaints = new Set(["not-spam", "auth-failure", "virus"]);

/**
 * Bounces and complaints of Amazon SES, from notifications and from event publishing
 * (docs.aws.amazon.com/ses/latest/dg/notification-contents.html and event-publishing-retrieving-sns-contents.html). A `Reject` is an
 * email that Amazon found a virus in. `DeliveryDelay` is no bounce, and `Subscription` is about lists that Amazon keeps.
 * @param message the content of an SNS notification
 */
export function sesEvents(message: unknown): HookEvent[] {
  const type = textAt(message, "eventType") ?? textAt(message, "notificationType");
  const mail = {
    returnPath: textAt(message, "mail", "source"),
    messageId: textAt(message, "mail", "commonHeaders", "messageId") ?? originalId(message),
  };
  if (type === "Bounce") {
    const bounce = valueAt(message, "bounce");
    const subtype = textAt(bounce, "bounceSubType") ?? "";
    const meaning = subtypes.get(`${textAt(bounce, "bounceType") ?? ""} ${subtype}`) ?? null;
    return listAt(bounce, "bouncedRecipients").flatMap((recipient) => {
      const text = (textAt(recipient, "diagnosticCode") ?? "").replace(/^smtp; */i, "") || null;
      const said = { text, status: textAt(recipient, "status") };
      const code = listed.test(subtype) ? refusedByService : codeOf(said, meaning);
      const address = textAt(recipient, "emailAddress");
      return eventOf({ ...mail, outcome: "bounced", address, code, text, at: timeAt(bounce, "timestamp") });
    });
  }
  if (type === "Complaint") {
    const complaint = valueAt(message, "complaint");
    const at = timeAt(complaint, "timestamp");
    const said =
      textAt(complaint, "complaintSubType") === null
        ? ({ outcome: "complained", code: null, text: null } as const)
        : ({ outcome: "bounced", code: refusedByService, text: null } as const);
    if (noComplaints.has(textAt(complaint, "complaintFeedbackType") ?? "")) return [];
    return listAt(complaint, "complainedRecipients").flatMap((recipient) =>
      eventOf({ ...mail, ...said, address: textAt(recipient, "emailAddress"), at }),
    );
  }
  if (type !== "Reject") return [];
  const text = textAt(message, "reject", "reason");
  return listAt(message, "mail", "destination").flatMap((address) =>
    eventOf({ ...mail, outcome: "bounced", address: textAt(address), code: "5.6.0", text, at: null }),
  );
}

/** Amazon SES replaces the Message-ID, and reports the original header if it is set up to include headers. */
function originalId(message: unknown): string | null {
  const headers = listAt(message, "mail", "headers");
  const header = headers.find((one) => textAt(one, "name")?.toLowerCase() === "message-id");
  return textAt(header, "value");
}
