/** Emails that were handed over, and what became of them. */
export interface Outcomes {
  emails: number;
  hard: number;
  soft: number;
  policy: number;
  complained: number;
}

/** `raised`: more than Gmail asks for. `high`: as many as providers act against. */
export const complaintLevels = ["low", "raised", "high"] as const;
export type ComplaintLevel = (typeof complaintLevels)[number];

export interface Rates {
  bounced: number;
  /** Shares of the emails, from 0 to 1; null if they are unknown. */
  bounceRate: number | null;
  complaintRate: number | null;
  /** null with too few emails or complaints to tell. */
  complaintLevel: ComplaintLevel | null;
}

/**
 * Gmail asks for less than 0.1% and never 0.3% (support.google.com/a/answer/81126), Yahoo for less than 0.3%
 * (senders.yahooinc.com/best-practices). Others name no rate, so that of Yahoo is used for them.
 */
const gmailLine = 0.001;
const line = 0.003;
export const complaintLines: readonly number[] = [gmailLine, line];
const lowerLine = 0.002;
/** Providers whose users complain without a report to the sender: Gmail shows only the rate, in Postmaster Tools. */
const silent: ReadonlySet<string> = new Set(["google"]);

/**
 * One complaint about ten emails is 10% and says nothing. A sender who is within Gmail's line gets five complaints about 1,000 emails by
 * chance once in 270 times, and about fewer emails hardly ever. Below 100 emails, each reader is more than 1%.
 */
const fewestComplaints = 5;
const fewestEmails = 100;

/**
 * The rates of bounces and complaints. Without any complaint their rate is unknown, not 0: many providers report complaints only to
 * senders who have asked for it.
 * @param about.provider null for several providers together, for which the strictest line counts
 * @param about.reported whether any way in has ever reported something; otherwise also the bounces are unknown
 */
export function ratesOf(counts: Outcomes, about: { provider: string | null; reported: boolean }): Rates {
  const { emails, hard, soft, policy, complained } = counts;
  const bounced = hard + soft + policy;
  const known = emails > 0 && (about.reported || bounced + complained > 0);
  return {
    bounced,
    bounceRate: known ? Math.min(1, bounced / emails) : null,
    complaintRate: known && complained > 0 ? Math.min(1, complained / emails) : null,
    complaintLevel: levelOf(counts, about.provider),
  };
}

/** The rates of one edition. @param emails how many the relay accepted */
export function editionRates(counts: Omit<Outcomes, "emails">, emails: number): Rates {
  return ratesOf({ ...counts, emails }, { provider: null, reported: false });
}

function levelOf({ emails, complained }: Outcomes, provider: string | null): ComplaintLevel | null {
  if (complained < fewestComplaints || emails < fewestEmails) return null;
  if (complained >= line * emails) return "high";
  return (provider === null || provider === "google") && complained >= gmailLine * emails ? "raised" : "low";
}

/**
 * Whether complaints that were too many still are. Near the limit, the rate goes up and down with each edition, so it has to fall by a
 * third first.
 */
export function areStillMany({ emails, complained }: Outcomes): boolean {
  return complained >= fewestComplaints && emails >= fewestEmails && complained >= lowerLine * emails;
}

/** Whether a provider never reports complaints itself. */
export function isSilentAboutComplaints(provider: string): boolean {
  return silent.has(provider);
}
