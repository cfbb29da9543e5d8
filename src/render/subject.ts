import type { Wording } from "../texts/catalogue.ts";
import { clip } from "./plain.ts";
import { isolate } from "./scripts.ts";

export const subjectLimit = 120;

/**
 * The lead's headline and how many other articles there are, in at most 120 characters. A long headline is clipped, and one of
 * another direction is isolated from the words beside it.
 */
export function subjectOf(headline: string, others: number, { say, language }: Wording, sample: boolean): string {
  const subject = (shown: string): string => {
    const whole = others > 0 ? say("mail.subject", { headline: shown, n: others }) : shown;
    return sample ? say("mail.sample_subject", { subject: whole }) : whole;
  };
  const room = subjectLimit - subject("").length;
  if (room === subjectLimit) return clip(headline, room);
  const shown = isolate(clip(headline, room), language);
  return subject(shown.length <= room ? shown : isolate(clip(headline, room - 2), language));
}
