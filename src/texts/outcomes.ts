import { englishWording } from "./catalogue.ts";
import type { Rates } from "../outcomes/rates.ts";
import type { EmailService, OutcomeCounts } from "../outcomes/store.ts";

/** What became of an edition's emails after the relay had accepted them; null without a report. @param emails how many it accepted */
export function outcomesInWords(counts: OutcomeCounts, rates: Rates, emails: number): string | null {
  const { hard, soft, policy, complained, spared } = counts;
  const { bounced, bounceRate, complaintRate, complaintLevel } = rates;
  if (bounced + complained === 0) return null;
  return englishWording().say("edition.outcomes", {
    emails,
    bounced,
    bounce_rate: percentInWords(bounceRate ?? 0),
    hard,
    soft,
    policy,
    complained,
    complaint_rate: percentInWords(complaintRate ?? 0),
    level: complaintLevel ?? "none",
    spared,
  });
}

/** Both rates, such as `0.9% bounced, 0.15% complained`; null without a report. */
export function outcomesInShort({ bounced, bounceRate, complaintRate }: Rates): string | null {
  if (bounceRate === null) return null;
  return englishWording().say("edition.outcomes_short", {
    bounced: bounced === 0 ? "none" : percentInWords(bounceRate),
    complained: complaintRate === null ? "none" : percentInWords(complaintRate),
  });
}

const services: Readonly<Record<EmailService, string>> = {
  ses: "Amazon SES",
  sendgrid: "SendGrid",
  mailgun: "Mailgun",
  postmark: "Postmark",
  brevo: "Brevo",
  sparkpost: "SparkPost",
};

/** The name of the email service whose webhook reports; any other way in is named by its code. */
export function serviceName(source: string): string {
  return Object.hasOwn(services, source) ? services[source as EmailService] : source;
}

/** A share such as `0.15%`, `4.2%` or `37%`. @param share 0 to 1 */
export function percentInWords(share: number): string {
  const percent = share * 100;
  if (percent > 0 && percent < 0.01) return "< 0.01%";
  return `${Number(percent.toFixed(percent < 1 ? 2 : percent < 10 ? 1 : 0))}%`;
}
