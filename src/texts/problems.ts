import { type Wording, sayReason, englishWording } from "./catalogue.ts";
import type { SettingProblem } from "../config/settings.ts";
import type { RefusedLine } from "../subscribers/import-rows.ts";
import type { ReadError } from "../sources/store.ts";

/** Why a feed could not be read. */
export function sayReadError(error: ReadError, wording: Wording = englishWording()): string {
  const { waitUntil } = error;
  const wait = waitUntil === undefined ? [] : [wording.say("source.wait_until", { time: waitUntil })];
  return ["text" in error ? error.text : wording.reason(error), ...wait].join(" ");
}

/** The sentences of a refused line. */
export function sayRefusedLine({ reasons }: RefusedLine): string {
  return reasons.map((reason) => sayReason(reason)).join(" ");
}

/** What is wrong with a setting. */
export function sayProblem(problem: SettingProblem, shown?: string, inFront?: boolean): string {
  return englishWording().problem(problem, shown, inFront);
}
