import type { Balance } from "../../editions/state.ts";
import { count, number } from "./format.ts";

const windowMs = 30_000;

/** @returns what measures the sending rate of one edition over the last 30 seconds, or null while nothing is sent */
export function speed(): (balance: Balance, now: number) => string | null {
  let seen: { at: number; done: number }[] = [];
  return (balance, now) => {
    const done = balance.sent + balance.rejected + balance.unknown;
    if ((seen.at(-1)?.done ?? 0) > done) seen = [];
    seen = [...seen.filter(({ at }) => now - at <= windowMs), { at: now, done }];
    const first = seen[0]!;
    if (now - first.at < 1_000 || done === first.done) return null;
    const perMs = (done - first.done) / (now - first.at);
    const minutes = (balance.pending + balance.sending) / perMs / 60_000;
    return `${number(Math.round(perMs * 60_000))} per minute${left(minutes)}`;
  };
}

function left(minutes: number): string {
  if (minutes === 0) return "";
  if (minutes < 1) return ", less than a minute left";
  return minutes < 90
    ? `, ${count(Math.round(minutes), "minute")} left`
    : `, ${count(Math.round(minutes / 60), "hour")} left`;
}
