import type { Wording } from "../wording/catalogue.ts";
import { clip } from "./plain.ts";

export const subjectLimit = 120;

/** The lead's headline and how many other articles there are, in at most 120 characters. A long headline is clipped. */
export function subjectOf(headline: string, others: number, { say }: Wording, sample: boolean): string {
  const subject = (shown: string): string => {
    const whole = others > 0 ? say("mail.subject", { headline: shown, n: others }) : shown;
    return sample ? say("mail.sample_subject", { subject: whole }) : whole;
  };
  return subject(clip(headline, subjectLimit - subject("").length));
}
