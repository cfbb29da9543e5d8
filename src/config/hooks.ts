import { createPublicKey } from "node:crypto";
import { invalid, Refusal } from "../base/errors.ts";

/** Reads the ARN of a topic of Amazon SNS, in the AWS regions of the world, of China or of the US government. Throws a 422 Refusal. */
export function parseSnsTopic(raw: string): string {
  if (/^arn:aws(?:-cn|-us-gov)?:sns:[a-z]{2}[a-z0-9-]{1,30}:\d{12}:[\w-]{1,256}(?:\.fifo)?$/.test(raw)) return raw;
  throw invalid("sns_topic_invalid", raw);
}

/**
 * Reads the verification key that SendGrid shows: an EC public key (SPKI) in base64. Throws a 422 Refusal without the value, which can
 * be an API key by mistake.
 */
export function parseSendGridKey(raw: string): string {
  try {
    const key = createPublicKey({ key: Buffer.from(raw, "base64"), format: "der", type: "spki" });
    if (key.asymmetricKeyType === "ec") return raw;
  } catch {
    // The same problem.
  }
  throw new Refusal(422, "sendgrid_key_invalid");
}
