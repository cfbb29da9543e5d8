import { createHmac } from "node:crypto";

/**
 * The Message-ID of a delivery: the same for every attempt, different for every reader and edition (Gmail throttles
 * repeated ones, 421 4.7.28).
 * @param edition date and number, such as `2026-11-24.1`
 * @param domain of the sender when the edition's first email was built
 */
export function editionMessageId(secret: string, edition: string, key: Buffer, domain: string): string {
  const unique = createHmac("sha256", secret).update(`message-id:${edition}:`).update(key).digest("hex").slice(0, 32);
  return `<${edition}.${unique}@${domain}>`;
}

/** The Message-ID of a notice: the same for every attempt. It starts with the notice's date, so that ids sort. */
export function noticeMessageId(secret: string, notice: { id: number; createdAt: Date }, domain: string): string {
  const unique = createHmac("sha256", secret).update(`notice:${notice.id}`).digest("hex").slice(0, 32);
  const date = notice.createdAt.toISOString().slice(0, 10);
  return `<${date}.notice.${unique}@${domain}>`;
}
