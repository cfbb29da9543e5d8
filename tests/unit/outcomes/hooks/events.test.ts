import fc from "fast-check";
import { expect, test } from "vitest";
import { bounceKind } from "../../../../src/outcomes/bounce-kind.ts";
import { brevoEvents } from "../../../../src/outcomes/hooks/brevo.ts";
import type { HookEvent } from "../../../../src/outcomes/hooks/event.ts";
import { mailgunEvents } from "../../../../src/outcomes/hooks/mailgun.ts";
import { postmarkEvents } from "../../../../src/outcomes/hooks/postmark.ts";
import { sendGridEvents } from "../../../../src/outcomes/hooks/sendgrid.ts";
import { sesEvents } from "../../../../src/outcomes/hooks/ses.ts";
import { sparkPostEvents } from "../../../../src/outcomes/hooks/sparkpost.ts";
import {
  brevoEvent,
  mailgunEvent,
  mailgunFailure,
  postmarkBounce,
  sendGridEvent,
  sesBounce,
  sesComplaint,
  sesMail,
  sparkPostEvent,
  type About,
} from "../../../support/hook-calls.ts";

const at = new Date("2026-11-24T07:30:00Z");
const messageId = "<2026-11-24.0123456789abcdef0123456789abcdef@news.example.com>";
const about: About = { address: "jane@example.com", at, messageId, returnPath: "bounce+token@news.example.com" };
/** Without a code of the server. */
const silent = { status: undefined, diagnosticCode: undefined };
const failed = (more: object) => mailgunEvent("failed", about, { severity: "permanent", ...more });
const status = (code: number, message: string) => ({ "delivery-status": { code, message } });

const mappings = {
  ses: sesEvents,
  sendgrid: sendGridEvents,
  mailgun: (event: unknown) => mailgunEvents({ "event-data": event }),
  postmark: postmarkEvents,
  brevo: brevoEvents,
  sparkpost: (event: unknown) => sparkPostEvents([event]),
};

/** What an event becomes: the kind of its bounce with its code, or what else it is. */
function meaning([event, ...more]: readonly HookEvent[]): string {
  expect(more).toEqual([]);
  if (!event) return "ignored";
  if (event.outcome === "complained") return "complained";
  return [bounceKind(event.code, event.text), event.code].join(" ").trim();
}

test.each<[keyof typeof mappings, string, unknown]>([
  ["ses", "hard 550 5.1.1", sesBounce(about)],
  ["ses", "hard 5.1.1", sesBounce(about, {}, silent)],
  ["ses", "policy 550 5.7.1", sesBounce(about, {}, { status: "5.7.1", diagnosticCode: "smtp; 550 5.7.1 blocked" })],
  ["ses", "policy 5.7.1", sesBounce(about, {}, { status: "5.0.0", diagnosticCode: "smtp; 550 spam detected" })],
  [
    "ses",
    "hard 5.1.1",
    sesBounce(about, {}, { status: "5.5.0", diagnosticCode: "smtp; 550 5.5.0 mailbox unavailable" }),
  ],
  ["ses", "policy 5.7.1", sesBounce(about, { bounceSubType: "Suppressed" })],
  ["ses", "policy 5.7.1", sesBounce(about, { bounceSubType: "OnAccountSuppressionList" })],
  ["ses", "policy 5.7.1", sesBounce(about, { bounceSubType: "UnsubscribedRecipient" })],
  ["ses", "soft", sesBounce(about, { bounceSubType: "NoEmail" }, silent)],
  ["ses", "soft", sesBounce(about, { bounceType: "Transient", bounceSubType: "General" }, silent)],
  ["ses", "soft 4.2.2", sesBounce(about, { bounceType: "Transient", bounceSubType: "MailboxFull" }, silent)],
  ["ses", "policy 5.3.4", sesBounce(about, { bounceType: "Transient", bounceSubType: "MessageTooLarge" }, silent)],
  ["ses", "policy 5.6.0", sesBounce(about, { bounceType: "Transient", bounceSubType: "ContentRejected" }, silent)],
  ["ses", "policy 5.6.1", sesBounce(about, { bounceType: "Transient", bounceSubType: "AttachmentRejected" }, silent)],
  ["ses", "soft", sesBounce(about, { bounceType: "Undetermined", bounceSubType: "Undetermined" }, silent)],
  ["ses", "complained", sesComplaint(about)],
  [
    "ses",
    "complained",
    { ...sesComplaint(about, { complaintFeedbackType: null }), notificationType: undefined, eventType: "Complaint" },
  ],
  ["ses", "ignored", sesComplaint(about, { complaintFeedbackType: "not-spam" })],
  ["ses", "policy 5.7.1", sesComplaint(about, { complaintSubType: "OnAccountSuppressionList" })],
  ["ses", "policy 5.6.0", { eventType: "Reject", mail: sesMail(about), reject: { reason: "Bad content" } }],
  ["ses", "ignored", { eventType: "DeliveryDelay", mail: sesMail(about), deliveryDelay: { delayType: "MailboxFull" } }],
  ["ses", "ignored", { eventType: "Subscription", mail: sesMail(about) }],
  ["ses", "ignored", { notificationType: "Delivery", mail: sesMail(about) }],
  ["sendgrid", "policy 500", [sendGridEvent("bounce", about, { reason: "500 unknown recipient", status: "5.0.0" })]],
  [
    "sendgrid",
    "hard 5.1.1",
    [
      sendGridEvent("bounce", about, {
        reason: "500 unknown recipient",
        status: "5.0.0",
        bounce_classification: "Invalid Address",
      }),
    ],
  ],
  [
    "sendgrid",
    "hard 550 5.1.1",
    [
      sendGridEvent("bounce", about, {
        reason: "550 5.1.1 The email account does not exist",
        status: "5.1.1",
        type: "bounce",
      }),
    ],
  ],
  [
    "sendgrid",
    "soft 4.2.0",
    [sendGridEvent("bounce", about, { reason: "550 mailbox full", bounce_classification: "Mailbox Unavailable" })],
  ],
  [
    "sendgrid",
    "soft 4.4.0",
    [
      sendGridEvent("bounce", about, {
        reason: "unable to get mx info",
        bounce_classification: "Technical Failure",
        type: "blocked",
      }),
    ],
  ],
  [
    "sendgrid",
    "policy 5.7.1",
    [sendGridEvent("bounce", about, { reason: "554 rejected", bounce_classification: "Content" })],
  ],
  ["sendgrid", "policy 5.7.1", [sendGridEvent("bounce", about, { bounce_classification: "Reputation" })]],
  [
    "sendgrid",
    "policy 4.7.0",
    [sendGridEvent("bounce", about, { bounce_classification: "Frequency or Volume Too High" })],
  ],
  [
    "sendgrid",
    "soft",
    [
      sendGridEvent("bounce", about, {
        reason: "unable to get mx info",
        bounce_classification: "Unclassified",
        type: "blocked",
      }),
    ],
  ],
  ["sendgrid", "policy 5.7.1", [sendGridEvent("dropped", about, { reason: "Bounced Address", status: "5.0.0" })]],
  ["sendgrid", "policy 5.7.1", [sendGridEvent("dropped", about, { reason: "Spam Reporting Address" })]],
  ["sendgrid", "hard 5.1.1", [sendGridEvent("dropped", about, { reason: "Invalid" })]],
  ["sendgrid", "complained", [sendGridEvent("spamreport", about)]],
  ["sendgrid", "ignored", [sendGridEvent("deferred", about, { response: "400 try again later", attempt: "5" })]],
  [
    "sendgrid",
    "ignored",
    [sendGridEvent("unsubscribe", about), sendGridEvent("group_unsubscribe", about), sendGridEvent("delivered", about)],
  ],
  ["mailgun", "policy 5.7.1", mailgunEvent("failed", about, mailgunFailure)],
  [
    "mailgun",
    "policy 5.7.1",
    failed({
      reason: "suppress-complaint",
      ...status(607, "Not delivering to a user who marked your messages as spam"),
    }),
  ],
  [
    "mailgun",
    "hard 550 5.1.1",
    failed({ reason: "bounce", ...status(550, "5.1.1 The email account that you tried to reach does not exist") }),
  ],
  ["mailgun", "hard 550", failed({ reason: "bounce", ...status(550, "No such user here") })],
  ["mailgun", "policy 5.7.1", failed({ reason: "espblock", ...status(550, "Rejected") })],
  ["mailgun", "soft 4.4.7", failed({ reason: "old", ...status(602, "Too old") })],
  ["mailgun", "soft", failed({ reason: "generic", ...status(498, "No MX for nomx.example.com") })],
  [
    "mailgun",
    "ignored",
    mailgunEvent("failed", about, { severity: "temporary", reason: "greylisted", ...status(450, "Greylisted") }),
  ],
  ["mailgun", "complained", mailgunEvent("complained", about)],
  ["mailgun", "ignored", mailgunEvent("unsubscribed", about)],
  ["mailgun", "ignored", mailgunEvent("delivered", about)],
  ["postmark", "hard 5.1.1", postmarkBounce(about)],
  ["postmark", "hard 550 5.1.1", postmarkBounce(about, { Details: "smtp;550 5.1.1 The email account does not exist" })],
  ["postmark", "hard 5.1.3", postmarkBounce(about, { Type: "BadEmailAddress" })],
  ["postmark", "soft 4.2.0", postmarkBounce(about, { Type: "SoftBounce" })],
  ["postmark", "soft 4.4.4", postmarkBounce(about, { Type: "DnsError" })],
  ["postmark", "soft", postmarkBounce(about, { Type: "Unknown" })],
  ["postmark", "policy 5.7.1", postmarkBounce(about, { Type: "SpamNotification" })],
  ["postmark", "policy 5.7.1", postmarkBounce(about, { Type: "Blocked" })],
  [
    "postmark",
    "policy 5.7.1",
    postmarkBounce(about, { Type: "ManuallyDeactivated", Details: "550 5.1.1 no such user" }),
  ],
  ["postmark", "policy 5.7.1", postmarkBounce(about, { Type: "SMTPApiError" })],
  ["postmark", "complained", postmarkBounce(about, { Type: "SpamComplaint" })],
  ["postmark", "complained", postmarkBounce(about, { RecordType: "SpamComplaint", Type: "SpamComplaint" })],
  ["postmark", "ignored", postmarkBounce(about, { Type: "Transient" })],
  ["postmark", "ignored", postmarkBounce(about, { Type: "AutoResponder" })],
  ["postmark", "ignored", postmarkBounce(about, { Type: "AddressChange" })],
  ["postmark", "ignored", postmarkBounce(about, { Type: "Unsubscribe" })],
  ["postmark", "ignored", { RecordType: "SubscriptionChange", Recipient: about.address, SuppressSending: true }],
  ["brevo", "hard 5.1.1", brevoEvent("hard_bounce", about, { reason: "server is down" })],
  [
    "brevo",
    "hard 5.1.1",
    brevoEvent("hard_bounce", about, {
      reason: " RecipientError: 550 5.5.0 Requested action not taken: mailbox unavailable.",
    }),
  ],
  ["brevo", "soft 452 4.2.2", brevoEvent("soft_bounce", about, { reason: "452 4.2.2 mailbox full" })],
  ["brevo", "soft", brevoEvent("soft_bounce", about, { reason: "undefined Unable to find MX of domain" })],
  ["brevo", "policy 5.7.1", brevoEvent("blocked", about, { reason: "blocked : due to blacklist user" })],
  ["brevo", "hard 5.1.3", brevoEvent("invalid_email", about)],
  ["brevo", "complained", brevoEvent("spam", about)],
  ["brevo", "complained", brevoEvent("complaint", about)],
  ["brevo", "ignored", brevoEvent("deferred", about, { reason: "550 5.1.1 no such user" })],
  ["brevo", "ignored", brevoEvent("unsubscribed", about)],
  ["brevo", "ignored", brevoEvent("error", about)],
  ["sparkpost", "hard 550 5.1.1", sparkPostEvent("bounce", about)],
  [
    "sparkpost",
    "hard 5.1.1",
    sparkPostEvent("bounce", about, { raw_reason: "554 delivery error: dd This user doesn't have an account" }),
  ],
  ["sparkpost", "soft 4.2.2", sparkPostEvent("bounce", about, { bounce_class: "22", raw_reason: "552 over quota" })],
  ["sparkpost", "policy 5.3.4", sparkPostEvent("bounce", about, { bounce_class: "23", raw_reason: "552 too big" })],
  [
    "sparkpost",
    "soft 554 5.4.7",
    sparkPostEvent("bounce", about, { bounce_class: "24", raw_reason: "554 5.4.7 [internal] message timeout" }),
  ],
  ["sparkpost", "policy 5.7.1", sparkPostEvent("bounce", about, { bounce_class: "25" })],
  ["sparkpost", "policy 5.7.1", sparkPostEvent("out_of_band", about, { bounce_class: "51", raw_reason: "550 listed" })],
  [
    "sparkpost",
    "policy 554",
    sparkPostEvent("bounce", about, { bounce_class: "1", error_code: "554", raw_reason: "MAIL REFUSED" }),
  ],
  ["sparkpost", "ignored", sparkPostEvent("out_of_band", about, { bounce_class: "60" })],
  ["sparkpost", "ignored", sparkPostEvent("out_of_band", about, { bounce_class: "70" })],
  ["sparkpost", "policy 5.7.1", sparkPostEvent("policy_rejection", about, { bounce_class: "25" })],
  ["sparkpost", "policy 5.7.1", { msys: { gen_event: { type: "generation_rejection", rcpt_to: about.address } } }],
  ["sparkpost", "complained", sparkPostEvent("spam_complaint", about, { fbtype: "abuse" })],
  ["sparkpost", "ignored", sparkPostEvent("delay", about, { bounce_class: "21" })],
  ["sparkpost", "ignored", { msys: { unsubscribe_event: { type: "list_unsubscribe", rcpt_to: about.address } } }],
  ["sparkpost", "ignored", { msys: {} }],
])("%s: %s", (name, expected, event) => {
  expect(meaning(mappings[name](event))).toBe(expected);
});

test("each service says when it was, to whom, and what it knows of the email", () => {
  const both = { returnPath: about.returnPath, messageId };
  const known = { address: "jane@example.com", at, returnPath: null, messageId: null };
  const events = {
    ses: sesEvents(sesBounce(about)),
    sendgrid: sendGridEvents([sendGridEvent("spamreport", about)]),
    mailgun: mailgunEvents({ "event-data": mailgunEvent("complained", about) }),
    postmark: postmarkEvents(postmarkBounce(about)),
    brevo: brevoEvents([brevoEvent("spam", about)]),
    sparkpost: sparkPostEvents([sparkPostEvent("spam_complaint", about)]),
  };
  expect(events.ses).toMatchObject([{ ...known, ...both, text: "550 5.1.1 <jane@example.com>... User" }]);
  expect(events.sendgrid).toMatchObject([{ ...known, messageId }]);
  expect(events.mailgun).toMatchObject([{ ...known, ...both, messageId: messageId.slice(1, -1) }]);
  expect(events.postmark).toMatchObject([known]);
  expect(events.brevo).toMatchObject([{ ...known, messageId }]);
  expect(events.sparkpost).toMatchObject([{ ...known, returnPath: about.returnPath }]);
});

test("one notification of Amazon can be about several recipients, and gives the Message-ID in two places", () => {
  const bounce = sesBounce(about, {
    bouncedRecipients: [{ emailAddress: "a@x.example" }, { emailAddress: "B <b@x.example>" }, {}],
  });
  const mail = { ...sesMail({ ...about, messageId: "" }), commonHeaders: { messageId } };
  expect(sesEvents({ ...bounce, mail })).toMatchObject([
    { address: "a@x.example", messageId },
    { address: "b@x.example", messageId },
  ]);
});

test.each<[unknown, Date | null]>([
  [1_604_933_654, new Date("2020-11-09T14:54:14Z")],
  [1_604_933_654_000, new Date("2020-11-09T14:54:14Z")],
  ["yesterday", null],
  [-1, null],
  [1e300, null],
  [0, null],
  [null, null],
])("the time %s of Brevo is read as %s", (ts_epoch, read) => {
  expect(brevoEvents(brevoEvent("spam", about, { ts_epoch }))).toMatchObject([{ at: read }]);
});

test("no JSON makes a mapping fail, and every event has an address", () => {
  const names =
    "event eventType notificationType bounce complaint mail bouncedRecipients emailAddress headers event-data severity recipient delivery-status timestamp RecordType Type Email Details email reason status ts_epoch msys message_event type rcpt_to bounce_class"
      .split(" ")
      .concat("__proto__", "constructor");
  const words = [
    "bounce",
    "Bounce",
    "Complaint",
    "failed",
    "permanent",
    "hard_bounce",
    "spam",
    "HardBounce",
    "dropped",
  ];
  const { tree: json } = fc.letrec((tie) => ({
    tree: fc.oneof(
      { depthSize: "small", withCrossShrink: true },
      fc.constantFrom<unknown>(
        ...words,
        "a@b.example",
        "550 5.1.1",
        null,
        true,
        1e308,
        -0,
        "\0",
        "\ud800",
        "__proto__",
      ),
      fc.jsonValue(),
      fc.array(tie("tree"), { maxLength: 4 }),
      fc.dictionary(fc.constantFrom(...names), tie("tree"), { maxKeys: 6 }),
    ),
  }));
  fc.assert(
    fc.property(json, (body) => {
      const sent: unknown = JSON.parse(JSON.stringify(body));
      for (const events of [...Object.values(mappings), mailgunEvents, sparkPostEvents]) {
        for (const event of events(sent)) {
          expect(event.address).not.toBe("");
          expect(Number.isNaN(event.at?.getTime())).toBe(false);
        }
      }
    }),
    { numRuns: 3_000 },
  );
});
