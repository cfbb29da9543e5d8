import type { EditionWarmUp } from "../deliveries/warm-up.ts";
import type { WarmUpStatus } from "../deliveries/warm-up-rooms.ts";
import { englishWording } from "./catalogue.ts";

const { say } = englishWording();

/** What the warm-up did to an edition, as a sentence; null without one. */
export function editionWarmUpInWords(warmUp: EditionWarmUp | null): string | null {
  return warmUp && say("edition.warm_up", { day: warmUp.day, cap: warmUp.cap, n: warmUp.leftOut });
}

/** Where the warm-up stands, in a sentence or two. @param show formats a local date */
export function warmUpInWords({ state, start, current }: WarmUpStatus, show: (date: string) => string): string {
  if (current === null) return say(`warm_up.${state === "off" ? "off" : "over"}`, { start: start ? show(start) : "" });
  const { date, day, cap, hours } = current;
  return say(`warm_up.${state === "waiting" ? "waiting" : "running"}`, { date: show(date), day, cap, hours });
}
