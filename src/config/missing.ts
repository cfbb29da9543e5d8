import { sayReason, type Reason } from "../base/errors.ts";
import { parseRelay } from "./mail.ts";
import { isLoopback } from "./readers.ts";

/** A sentence for each missing setting that another one requires. It reads the texts, so that it works beside wrong values. */
export function missing(given: Readonly<Record<string, string>>): string[] {
  const relay = distantRelay(given.SMTP_URL);
  const details = { relay };
  const rules: [boolean, string | undefined, Reason][] = [
    [given.DATABASE_URL !== undefined, given.SECRET, { code: "secret_missing", details: {} }],
    [given.ALERT_WEBHOOK !== undefined, given.ALERT_WEBHOOK_SECRET, { code: "webhook_secret_missing", details: {} }],
    [relay !== null, given.PUBLIC_URL, { code: "public_url_missing", details }],
    [relay !== null, given.MAIL_FROM, { code: "sender_missing", details }],
    [relay !== null, given.POSTAL_ADDRESS, { code: "postal_address_missing", details }],
  ];
  return rules.filter(([needed, value]) => needed && !value).map(([, , reason]) => sayReason(reason));
}

function distantRelay(url: string | undefined): string | null {
  if (url === undefined) return null;
  try {
    const { host } = parseRelay(url);
    return isLoopback(host) ? null : host;
  } catch {
    return null; // The schema reports the URL itself.
  }
}
