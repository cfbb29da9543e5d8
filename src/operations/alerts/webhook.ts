import { createHmac } from "node:crypto";

/**
 * The headers of a call according to Standard Webhooks (standardwebhooks.com, "Signature scheme"): an HMAC-SHA256 over id,
 * time and body, which receivers verify to reject forged and replayed calls.
 * @param secret base64 behind `whsec_`, or any text, whose bytes are then the key
 */
export function signedHeaders(secret: string, call: { id: string; at: Date; body: string }): Record<string, string> {
  const timestamp = String(Math.floor(call.at.getTime() / 1_000));
  const prefix = "whsec_";
  const key = secret.startsWith(prefix) ? Buffer.from(secret.slice(prefix.length), "base64") : Buffer.from(secret);
  const signature = createHmac("sha256", key).update(`${call.id}.${timestamp}.${call.body}`).digest("base64");
  return {
    "content-type": "application/json",
    "webhook-id": call.id,
    "webhook-timestamp": timestamp,
    "webhook-signature": `v1,${signature}`,
  };
}
