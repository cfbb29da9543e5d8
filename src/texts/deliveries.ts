import { type MessageKey, englishWording, type Wording } from "./catalogue.ts";
import { balance, type Balance } from "../ledger/balance.ts";
import type { OutcomeReason } from "../ledger/outcome.ts";
import { providerLabel } from "./providers.ts";

/** The reason of an outcome in words: what this program says, the relay's last reply, or both; null without either. */
export function outcomeInWords(
  { code, data, reply }: OutcomeReason,
  wording: Wording = englishWording(),
): string | null {
  if (code === null) return reply;
  const values = { ...data };
  const cause = values["cause"];
  if (typeof cause === "string") values["after"] = wording.text({ key: cause as MessageKey, values: {} });
  const provider = values["provider"];
  if (typeof provider === "string") values["provider"] = providerLabel(provider);
  const reason = wording.say(`outcome.${code}`, values);
  return reply === null ? reason : wording.say("outcome.with_reply", { reason, reply });
}

/** The sum as operators read it, with the open states only while there are any, and the difference if it is wrong. */
export function balanceInWords(counts: Balance): string {
  const { shown, difference } = balance(counts);
  const { say } = englishWording();
  const terms = shown.map((state) => say("balance.term", { state, count: counts[state] })).join(" + ");
  const key = difference === 0 ? "balance.even" : difference > 0 ? "balance.few" : "balance.many";
  return say(key, { selected: counts.selected, terms, difference: Math.abs(difference) });
}
