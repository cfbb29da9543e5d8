import type { Balance, EditionAction, EditionState } from "../../editions/state.ts";
import { allowedActions } from "../../editions/state.ts";
import { count } from "./format.ts";

/** An action as its button and its page of confirmation name it. */
export interface OfferedAct {
  action: EditionAction;
  /** What the button says: what happens, and to how many. */
  label: string;
  /** What it will do, in a sentence or two. */
  words: string;
  /** Done at once, without a page that asks again: it can be taken back. */
  atOnce: boolean;
}

/** What an operator may do to an edition now, the likeliest first; what would change nothing is left out. */
export function offeredActs(edition: {
  state: EditionState;
  selected: number;
  balance: Balance;
  suppressed: number;
}): OfferedAct[] {
  const { balance, suppressed } = edition;
  const open = balance.pending + balance.deferred;
  // Whoever is suppressed is not sent to again.
  const failed = Math.max(0, balance.rejected + balance.expired - suppressed);
  const selected = edition.selected - balance.skipped;
  const waiting = count(balance.sent === 0 && open === 0 ? selected : open, "reader");
  const has = `${count(balance.sent, "reader")} ${balance.sent === 1 ? "has" : "have"} it already and ${balance.sent === 1 ? "keeps" : "keep"} it.`;
  const words: Record<EditionAction, [label: string, words: string] | null> = {
    approve: [`Approve: send to ${waiting}`, `The edition goes out to ${waiting} at once.`],
    pause: [
      "Pause sending",
      `Within two seconds nothing more leaves. ${waiting} would still get it; resuming sends to each of them once.`,
    ],
    resume: [`Resume: send to ${waiting}`, `Sending goes on: ${waiting} get it, once each. ${has}`],
    retry:
      failed === 0
        ? null
        : [
            `Retry ${count(failed, "failed delivery", "failed deliveries")}`,
            `The edition is sent again to ${count(failed, "reader")} whose delivery was rejected or expired, unless they have left since.`,
          ],
    "resend-unknown":
      balance.unknown === 0
        ? null
        : [
            `Send again to ${count(balance.unknown, "unknown", "unknown")}`,
            `The relay never said whether it took the mail for ${count(balance.unknown, "reader")}. Sent again, some of them may get it twice. Left as they are, some may not have it.`,
          ],
    unsuppress:
      suppressed === 0
        ? null
        : [
            `Take back ${count(suppressed, "suppression")}`,
            `The relay said of ${count(suppressed, "address", "addresses")} of this edition that ${suppressed === 1 ? "it does" : "they do"} not exist. If it was wrong, their readers are active again; nothing is sent to them until you retry.`,
          ],
    cancel: [
      "Cancel for good",
      `${waiting} will not get this edition, and it cannot be taken back. ${balance.sent > 0 ? has : "Nobody has it yet."}`,
    ],
  };
  const order: EditionAction[] = ["approve", "resume", "pause", "retry", "resend-unknown", "unsuppress", "cancel"];
  const allowed = new Set(allowedActions(edition.state));
  return order.flatMap((action) => {
    const said = allowed.has(action) ? words[action] : null;
    return said === null ? [] : [{ action, label: said[0], words: said[1], atOnce: action === "pause" }];
  });
}

/** What the page says after an action. */
export function actedInWords(action: EditionAction, affected: number): string {
  const some = count(affected, "delivery", "deliveries");
  switch (action) {
    case "approve":
      return "Approved: the edition goes out.";
    case "pause":
      return "Paused: nothing more leaves until you resume it.";
    case "resume":
      return "Resumed: sending goes on.";
    case "cancel":
      return `Cancelled: ${some} ended.`;
    case "unsuppress":
      return affected === 0
        ? "There was no suppression left to take back."
        : `${count(affected, "suppression")} taken back: a retry sends to those readers again.`;
    case "retry":
    case "resend-unknown":
      return affected === 0 ? "There was nothing left to send again." : `${some} put back to be sent.`;
  }
}
