import { verify, X509Certificate, type KeyObject } from "node:crypto";
import { RateLimiterMemory } from "rate-limiter-flexible";
import type { Clock } from "../../base/clock.ts";
import { reasonOf, Refusal } from "../../base/errors.ts";
import { remember } from "../../base/remember.ts";
import { textAt, timeAt, valueAt } from "./json.ts";
import { isRecent } from "./signatures.ts";

/** Fetches a small document from the public Internet, without following redirects. Throws an Error. */
export type FetchDocument = (url: string) => Promise<Uint8Array>;

/** What a message of SNS failed. */
export type SnsCheck = "topic" | "type" | "time" | "certificate" | "signature" | "subscribe_url";

export interface SnsDeps {
  clock: Clock;
  fetchDocument: FetchDocument;
  /** The ARN of the only topic that is accepted. */
  topic: string;
  /** Makes what is thrown for a message that is not genuine. */
  refuse: (check: SnsCheck) => Refusal;
}

/** The signed fields of each type in their order; those that are missing are left out. */
const confirmation = ["Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"];
const signedFields = new Map([
  ["Notification", ["Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"]],
  ["SubscriptionConfirmation", confirmation],
  ["UnsubscribeConfirmation", confirmation],
]);
/** SignatureVersion. A topic uses 1 unless it was changed. */
const hashes = new Map([
  ["1", "sha1"],
  ["2", "sha256"],
]);

const certificatePath = /^\/SimpleNotificationService-[0-9a-f]{1,64}\.pem$/;
/** Amazon replaces its certificate about once a year. */
const mostCertificates = 3;
/** A forged message can name certificates that don't exist. */
const fetchesPerMinute = 10;

/**
 * Reads messages of Amazon SNS: verifies them (docs.aws.amazon.com/sns/latest/dg/sns-verify-signature-of-message.html), and confirms the
 * subscription of the topic.
 * @returns a function that returns the text of a notification, and null for other types. It throws what `refuse` makes, or a Refusal 503
 * if Amazon cannot be reached, so that the message is sent again.
 */
export function openSns({
  clock,
  fetchDocument,
  topic,
  refuse,
}: SnsDeps): (message: unknown) => Promise<string | null> {
  const host = hostOf(topic);
  const keys = new Map<string, Certified>();
  const underway = new Map<string, Promise<Certified | null>>();
  const fetches = new RateLimiterMemory({ points: fetchesPerMinute, duration: 60 });

  async function get(url: URL): Promise<Uint8Array> {
    try {
      await fetches.consume(host);
      return await fetchDocument(url.href);
    } catch (error) {
      throw new Refusal(503, "sns_unreachable", { host, reason: error instanceof Error ? reasonOf(error) : "rate" });
    }
  }

  async function keyAt(address: string | null): Promise<KeyObject> {
    const url = ownUrl(address, host);
    if (!url || !certificatePath.test(url.pathname) || url.search !== "") throw refuse("certificate");
    const { href } = url;
    const known = keys.get(href);
    if (known && isValid(known, clock.now())) return known.key;
    const asked =
      underway.get(href) ??
      get(url)
        .then(keyOf)
        .finally(() => underway.delete(href));
    underway.set(href, asked);
    const found = await asked;
    if (!found || !isValid(found, clock.now())) throw refuse("certificate");
    remember(keys, href, found, mostCertificates);
    return found.key;
  }

  return async (message) => {
    const fields = signedFields.get(textAt(message, "Type") ?? "");
    if (textAt(message, "TopicArn") !== topic) throw refuse("topic");
    if (!fields) throw refuse("type");
    if (!isRecent(timeAt(message, "Timestamp"), clock.now())) throw refuse("time");
    const key = await keyAt(textAt(message, "SigningCertURL"));
    const hash = hashes.get(textAt(message, "SignatureVersion") ?? "");
    const signature = Buffer.from(textAt(message, "Signature") ?? "", "base64");
    if (hash === undefined || !verify(hash, signedText(message, fields), key, signature)) throw refuse("signature");
    if (textAt(message, "Type") === "Notification") return rawText(message, "Message") ?? "";
    if (textAt(message, "Type") === "SubscriptionConfirmation") {
      const url = ownUrl(textAt(message, "SubscribeURL"), host);
      if (url?.searchParams.get("TopicArn") !== topic) throw refuse("subscribe_url");
      await get(url);
    }
    return null;
  };
}

/** `arn:aws:sns:eu-central-1:123456789012:bounces` belongs to `sns.eu-central-1.amazonaws.com`. */
function hostOf(topic: string): string {
  const [, partition, , region] = topic.split(":");
  return `sns.${region}.amazonaws.com${partition === "aws-cn" ? ".cn" : ""}`;
}

function ownUrl(address: string | null, host: string): URL | null {
  if (address === null || !URL.canParse(address)) return null;
  const url = new URL(address);
  const isOwn = url.protocol === "https:" && url.hostname === host && url.port === "";
  return isOwn && url.username === "" && url.password === "" ? url : null;
}

interface Certified {
  key: KeyObject;
  from: number;
  to: number;
}

/** `sns.amazonaws.com`, `sns-signing.eu-south-1.amazonaws.com` or `sns-cn-north-1.amazonaws.com.cn`. */
const signer = /^CN=sns[a-z0-9.-]{0,60}\.amazonaws\.com(?:\.cn)?$/m;

/**
 * The key of a certificate in PEM; null if it is not one of Amazon SNS. Amazon sends it without the authorities above it, so they are
 * not checked: it is trusted because Amazon's host sent it over TLS.
 */
function keyOf(pem: Uint8Array): Certified | null {
  try {
    const { subject, publicKey: key, validFrom, validTo } = new X509Certificate(pem);
    if (!signer.test(subject) || key.asymmetricKeyType !== "rsa") return null;
    return { key, from: Date.parse(validFrom), to: Date.parse(validTo) };
  } catch {
    return null;
  }
}

function isValid({ from, to }: Certified, now: Date): boolean {
  return from <= now.getTime() && now.getTime() < to;
}

function signedText(message: unknown, fields: readonly string[]): Buffer {
  const lines = fields.flatMap((name) => {
    const text = rawText(message, name);
    return text === null ? [] : [name, text];
  });
  return Buffer.from(lines.map((line) => `${line}\n`).join(""));
}

function rawText(message: unknown, name: string): string | null {
  const text = valueAt(message, name);
  return typeof text === "string" ? text : null;
}
