import { parseRelay } from "./mail.ts";
import { isLoopback } from "./readers.ts";

/**
 * What one setting asks of another: a sentence for each that is not there and must be. It works on the text, so that it
 * speaks up even when some values are wrong.
 */
export function missing(given: Readonly<Record<string, string>>): string[] {
  const problems: string[] = [];
  if (given.DATABASE_URL && !given.SECRET) {
    problems.push(
      "SECRET is not set: with DATABASE_URL it is required, the same for every process; make one with " +
        "`openssl rand -hex 32`.",
    );
  }
  if (given.ALERT_WEBHOOK && !given.ALERT_WEBHOOK_SECRET) {
    problems.push(
      "ALERT_WEBHOOK_SECRET is not set: with ALERT_WEBHOOK it is required, and its receiver needs the same; make one " +
        "with `openssl rand -hex 32`.",
    );
  }
  const relay = distantRelay(given.SMTP_URL);
  if (relay !== null && !given.PUBLIC_URL) {
    problems.push(
      `PUBLIC_URL is not set: links in mail through ${relay} must lead to these pages, such as https://alerts.example.com.`,
    );
  }
  if (relay !== null && !given.MAIL_FROM) {
    problems.push(`MAIL_FROM is not set: mail through ${relay} needs a sender, such as "News" <alerts@example.com>.`);
  }
  if (relay !== null && !given.POSTAL_ADDRESS) {
    problems.push(
      `POSTAL_ADDRESS is not set: bulk mail, such as that through ${relay}, must carry the publication's postal address.`,
    );
  }
  return problems;
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
