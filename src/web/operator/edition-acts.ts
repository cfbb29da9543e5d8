import type { Balance, EditionAction, EditionState } from "../../editions/state.ts";
import { allowedActions } from "../../editions/state.ts";
import { count } from "./format.ts";

/** An action with the texts of its button and its confirmation page. */
export interface OfferedAct {
  action: EditionAction;
  /** The button's text, with the number of readers or deliveries. */
  label: string;
  /** The consequences, in a few sentences. */
  words: string;
  /** Needs no confirmation page because it can be undone. */
  atOnce: boolean;
}

/** The actions possible now, most likely first, without those that would change nothing. */
export function offeredActs(edition: {
  state: EditionState;
  selected: number;
  balance: Balance;
  suppressed: number;
}): OfferedAct[] {
  const { balance, suppressed } = edition;
  const open = balance.pending + balance.deferred;
  // A retry skips suppressed addresses.
  const failed = Math.max(0, balance.rejected + balance.expired - suppressed);
  const selected = edition.selected - balance.skipped;
  const waiting = count(balance.sent === 0 && open === 0 ? selected : open, "reader");
  const has = `${count(balance.sent, "reader")} already ${balance.sent === 1 ? "has" : "have"} it.`;
  const words: Record<EditionAction, [label: string, words: string] | null> = {
    approve: [`Approve and send to ${waiting}`, `The edition is sent to ${waiting} immediately.`],
    pause: [
      "Pause sending",
      `Sending stops within two seconds. Not sent yet: ${waiting}. If you resume, each of them gets the edition once.`,
    ],
    resume: [`Resume sending to ${waiting}`, `Sending continues to ${waiting}, once each. ${has}`],
    retry:
      failed === 0
        ? null
        : [
            `Retry ${count(failed, "failed delivery", "failed deliveries")}`,
            `The edition is sent again to ${count(failed, "reader")} whose delivery was rejected or expired. Readers who have left since are skipped.`,
          ],
    "resend-unknown":
      balance.unknown === 0
        ? null
        : [
            `Resend ${count(balance.unknown, "unknown delivery", "unknown deliveries")}`,
            `The relay did not confirm the email to ${count(balance.unknown, "reader")}. If you resend, some may get it twice. If you do not, some may never get it.`,
          ],
    unsuppress:
      suppressed === 0
        ? null
        : [
            `Remove ${count(suppressed, "suppression")}`,
            `The relay reported that ${count(suppressed, "address", "addresses")} of this edition ${suppressed === 1 ? "does" : "do"} not exist. If the relay was wrong, remove the suppression to make the ${suppressed === 1 ? "reader" : "readers"} active again. Nothing is sent to them until you retry the failed deliveries.`,
          ],
    cancel: [
      "Cancel edition",
      `${waiting} will not get this edition. You cannot undo this. ${balance.sent > 0 ? has : "No reader has it yet."}`,
    ],
  };
  const order: EditionAction[] = ["approve", "resume", "pause", "retry", "resend-unknown", "unsuppress", "cancel"];
  const allowed = new Set(allowedActions(edition.state));
  return order.flatMap((action) => {
    const said = allowed.has(action) ? words[action] : null;
    return said === null ? [] : [{ action, label: said[0], words: said[1], atOnce: action === "pause" }];
  });
}

/** The notice on the page after an action. */
export function actedInWords(action: EditionAction, affected: number): string {
  const some = count(affected, "delivery", "deliveries");
  switch (action) {
    case "approve":
      return "Approved. The edition is being sent.";
    case "pause":
      return "Paused. No more emails are sent until you resume.";
    case "resume":
      return "Sending resumed.";
    case "cancel":
      return `Cancelled. ${some} will not be sent.`;
    case "unsuppress":
      return affected === 0
        ? "There were no suppressions to remove."
        : `Removed ${count(affected, "suppression")}. To send to these readers, retry the failed deliveries.`;
    case "retry":
    case "resend-unknown":
      return affected === 0 ? "There were no deliveries to resend." : `${some} queued for sending.`;
  }
}
