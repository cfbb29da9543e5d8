import { createHmac, generateKeyPairSync, randomBytes, sign } from "node:crypto";
import { snsKey } from "./sns-certificates.ts";

/*
 * Calls of email services, as they document them and with their signatures. The fields that nothing reads are left out, except for a few.
 */

export interface Call {
  headers: Record<string, string>;
  body: string;
}

export const topic = "arn:aws:sns:eu-central-1:123456789012:bounces";
export const certificateUrl =
  "https://sns.eu-central-1.amazonaws.com/SimpleNotificationService-9c6465fa7f48f5cacd23014631ec1136.pem";
export const mailgunKey = "3f2b1c0d4e5f60718293a4b5c6d7e8f9";
export const hookPassword = "password-of-a-hook-that-is-long-enough";
const sendGridKeys = generateKeyPairSync("ec", { namedCurve: "prime256v1" });
export const sendGridKey = sendGridKeys.publicKey.export({ format: "der", type: "spki" }).toString("base64");

/** Settings that turn all webhooks on. */
export const hookSettings = {
  HOOK_SES_TOPIC: topic,
  HOOK_SENDGRID_KEY: sendGridKey,
  HOOK_MAILGUN_KEY: mailgunKey,
  HOOK_POSTMARK_PASSWORD: hookPassword,
  HOOK_BREVO_PASSWORD: hookPassword,
  HOOK_SPARKPOST_PASSWORD: hookPassword,
};

/** docs.aws.amazon.com/sns/latest/dg/http-notification-json.html and http-subscription-confirmation-json.html. */
export function snsCall(
  message: object,
  at: Date,
  about: { version?: "1" | "2"; signed?: object; replaced?: object } = {},
): Call {
  const { version = "1", signed = {}, replaced = {} } = about;
  const fields: Record<string, string | undefined> = {
    Type: "Notification",
    MessageId: "22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324",
    TopicArn: topic,
    Subject: "Amazon SES Email Event Notification",
    Message: JSON.stringify(message),
    Timestamp: at.toISOString(),
    ...signed,
  };
  const text = Object.keys(fields)
    .filter((name) => fields[name] !== undefined)
    .toSorted()
    .map((name) => `${name}\n${fields[name]}\n`)
    .join("");
  const signature = sign(version === "1" ? "sha1" : "sha256", Buffer.from(text), snsKey).toString("base64");
  const unsigned = { SignatureVersion: version, Signature: signature, SigningCertURL: certificateUrl };
  return {
    headers: { "content-type": "text/plain; charset=UTF-8", "x-amz-sns-message-type": fields["Type"]! },
    body: JSON.stringify({ ...fields, ...unsigned, ...replaced }),
  };
}

/** The fields of a subscription's confirmation, for `signed` above. */
export function confirmation(of = topic, host = "sns.eu-central-1.amazonaws.com"): Record<string, string> {
  return {
    Type: "SubscriptionConfirmation",
    Token: "2336412f37",
    Message: `You have chosen to subscribe to the topic ${of}. To confirm the subscription, visit the SubscribeURL included in this message.`,
    SubscribeURL: `https://${host}/?Action=ConfirmSubscription&TopicArn=${of}&Token=2336412f37`,
  };
}

export function sendGridCall(events: unknown, at: Date, key = sendGridKeys.privateKey): Call {
  const body = typeof events === "string" ? events : JSON.stringify(events);
  const timestamp = String(Math.floor(at.getTime() / 1_000));
  return {
    headers: {
      "content-type": "application/json",
      "x-twilio-email-event-webhook-signature": sign("sha256", Buffer.from(timestamp + body), key).toString("base64"),
      "x-twilio-email-event-webhook-timestamp": timestamp,
    },
    body,
  };
}

export function mailgunCall(event: object, at: Date, key = mailgunKey): Call {
  const timestamp = String(Math.floor(at.getTime() / 1_000));
  const token = randomBytes(25).toString("hex");
  const signature = createHmac("sha256", key)
    .update(timestamp + token)
    .digest("hex");
  return {
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ signature: { timestamp, token, signature }, "event-data": event }),
  };
}

/** With HTTP basic authentication, as Postmark, Brevo and SparkPost do. */
export function passwordCall(content: unknown, password = hookPassword): Call {
  const login = Buffer.from(`dayletter:${password}`).toString("base64");
  return {
    headers: { "content-type": "application/json", authorization: `Basic ${login}` },
    body: typeof content === "string" ? content : JSON.stringify(content),
  };
}

/** What a documented event is about. */
export interface About {
  address: string;
  at: Date;
  messageId?: string;
  returnPath?: string;
}

const seconds = (at: Date): number => Math.floor(at.getTime() / 1_000);

/** docs.aws.amazon.com/ses/latest/dg/notification-examples.html */
export function sesMail({ address, at, messageId, returnPath = "john@example.com" }: About): object {
  return {
    timestamp: at.toISOString(),
    source: returnPath,
    messageId: "00000138111222aa-33322211-cccc-cccc-cccc-ddddaaaa0680-000000",
    destination: [address],
    headersTruncated: false,
    headers: [
      { name: "From", value: "John Doe <john@example.com>" },
      ...(messageId ? [{ name: "Message-ID", value: messageId }] : []),
    ],
    commonHeaders: { subject: "Hello" },
  };
}

export function sesBounce(about: About, bounce: object = {}, recipient: object = {}): object {
  return {
    notificationType: "Bounce",
    bounce: {
      bounceType: "Permanent",
      bounceSubType: "General",
      reportingMTA: "dns; email.example.com",
      bouncedRecipients: [
        {
          emailAddress: about.address,
          status: "5.1.1",
          action: "failed",
          diagnosticCode: `smtp; 550 5.1.1 <${about.address}>... User`,
          ...recipient,
        },
      ],
      timestamp: about.at.toISOString(),
      feedbackId: "00000138111222aa-33322211-cccc-cccc-cccc-ddddaaaa068a-000000",
      remoteMtaIp: "127.0.2.0",
      ...bounce,
    },
    mail: sesMail(about),
  };
}

export function sesComplaint(about: About, complaint: object = {}): object {
  return {
    notificationType: "Complaint",
    complaint: {
      userAgent: "AnyCompany Feedback Loop (V0.01)",
      complainedRecipients: [{ emailAddress: about.address }],
      complaintFeedbackType: "abuse",
      timestamp: about.at.toISOString(),
      ...complaint,
    },
    mail: sesMail(about),
  };
}

/** twilio.com/docs/sendgrid/for-developers/tracking-events/event */
export function sendGridEvent(event: string, { address, at, messageId }: About, more: object = {}): object {
  return {
    email: address,
    timestamp: seconds(at),
    "smtp-id": messageId ?? "<14c5d75ce93.dfd.64b469@ismtpd-555>",
    event,
    category: ["cat facts"],
    sg_event_id: "6g4ZI7SA-xmRDv57GoPIPw==",
    sg_message_id: "14c5d75ce93.dfd.64b469.filter0001.16648.5515E0B88.0",
    ...more,
  };
}

/** documentation.mailgun.com/docs/mailgun/user-manual/webhooks/webhook-payloads */
export function mailgunEvent(event: string, { address, at, messageId, returnPath }: About, more: object = {}): object {
  return {
    event,
    id: "CPgfbmQMTCKtHW6uIWtuVe",
    timestamp: at.getTime() / 1_000,
    envelope: { sender: returnPath ?? "sender@sample.mailgun.com", targets: address, transport: "smtp" },
    message: {
      headers: {
        "message-id": (messageId ?? "20260203192638.000be97f99f8cea1@sample.mailgun.com").replace(/[<>]/g, ""),
      },
    },
    recipient: address,
    "recipient-domain": "example.org",
    ...more,
  };
}

/** The permanent failure of the same page. */
export const mailgunFailure = {
  severity: "permanent",
  reason: "suppress-bounce",
  "delivery-status": {
    "attempt-no": 1,
    code: 605,
    description: "Not delivering to previously bounced address",
    message: "",
  },
};

/** postmarkapp.com/developer/webhooks/bounce-webhook */
export function postmarkBounce({ address, at }: About, more: object = {}): object {
  return {
    RecordType: "Bounce",
    MessageStream: "broadcast",
    ID: 42,
    Type: "HardBounce",
    TypeCode: 1,
    Name: "Hard bounce",
    MessageID: "883953f4-6105-42a2-a16a-77a8eac79483",
    Description: "The server was unable to deliver your message (ex: unknown user, mailbox not found).",
    Details: "Test bounce details",
    Email: address,
    From: "sender@example.com",
    BouncedAt: at.toISOString().replace("Z", "7339Z"),
    Inactive: true,
    ...more,
  };
}

/** developers.brevo.com/docs/transactional-webhooks */
export function brevoEvent(event: string, { address, at, messageId }: About, more: object = {}): object {
  return {
    event,
    email: address,
    id: 26224,
    date: "2020-10-09 00:00:00",
    ts: 1604933619,
    "message-id": messageId ?? "<201798300811.5787683@relay.domain.com>",
    ts_event: 1604933654,
    ts_epoch: at.getTime(),
    ...more,
  };
}

/** developers.sparkpost.com/api/webhooks */
export function sparkPostEvent(type: string, { address, at, returnPath }: About, more: object = {}): object {
  return {
    msys: {
      message_event: {
        type,
        bounce_class: "10",
        error_code: "550",
        event_id: "92356927693813856",
        message_id: "000443ee14578172be22",
        msg_from: returnPath ?? "sender@example.com",
        rcpt_to: address,
        raw_rcpt_to: address,
        raw_reason: `550 5.1.1 <${address}>: Recipient address rejected: User unknown`,
        timestamp: String(seconds(at)),
        ...more,
      },
    },
  };
}
