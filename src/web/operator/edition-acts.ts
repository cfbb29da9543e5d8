import type { Balance } from "../../ledger/balance.ts";
import { type EditionAction, type EditionState, allowedActions } from "../../editions/state.ts";
import type { Edition } from "../../editions/store.ts";
import { englishWording } from "../../texts/catalogue.ts";

const { say } = englishWording();

/** An action with the texts of its button and its confirmation page. */
interface OfferedAct {
  action: EditionAction;
  /** The button's text, with the number of readers or deliveries. */
  label: string;
  /** What the action does, in a few sentences. */
  effect: string;
  /** The number of readers, deliveries or suppressions that it concerns. */
  n: number;
  /** Needs no confirmation page because it can be undone. */
  atOnce: boolean;
  /** It would change nothing now, so its button is hidden. */
  empty: boolean;
}

/** Those that come and go while an edition is being sent are last, so that no button moves under the pointer. */
const order: readonly EditionAction[] = [
  "approve",
  "resume",
  "pause",
  "cancel",
  "retry",
  "resend-unknown",
  "unsuppress",
];

interface ActFacts {
  state: EditionState;
  final_counts: Edition["final_counts"];
  selected: number;
  balance: Balance;
  suppressed: number;
  retryable: number;
}

/** The actions possible now, without those that would change nothing. */
export function offeredActs(edition: ActFacts): OfferedAct[] {
  return possibleActs(edition).filter(({ empty }) => !empty);
}

/** The actions of the edition's state, also those that would change nothing at the moment. */
export function possibleActs(edition: ActFacts): OfferedAct[] {
  const { balance, suppressed, retryable } = edition;
  const { sent, unknown } = balance;
  const open = balance.pending + balance.deferred;
  const waiting = sent === 0 && open === 0 ? edition.selected - balance.skipped : open;
  const offer = (action: EditionAction): OfferedAct => {
    switch (action) {
      case "approve":
        return act(waiting, say("act.approve", { n: waiting }), say("act.approve_effect", { n: waiting }));
      case "resume":
        return act(waiting, say("act.resume", { n: waiting }), say("act.resume_effect", { n: waiting, sent }));
      case "pause":
        return act(waiting, say("act.pause"), say("act.pause_effect", { n: waiting }));
      case "retry":
        return act(retryable, say("act.retry", { n: retryable }), say("act.retry_effect", { n: retryable }));
      case "resend-unknown":
        return act(
          unknown,
          say("act.resend_unknown", { n: unknown }),
          say("act.resend_unknown_effect", { n: unknown }),
        );
      case "unsuppress":
        return act(
          suppressed,
          say("act.unsuppress", { n: suppressed }),
          say("act.unsuppress_effect", { n: suppressed }),
        );
      case "cancel": {
        const values = { n: waiting, sent, none: sent === 0 ? "yes" : "no" };
        return act(waiting, say("act.cancel"), say("act.cancel_effect", values));
      }
    }

    function act(n: number, label: string, effect: string): OfferedAct {
      return { action, n, label, effect, atOnce: action === "pause", empty: n === 0 && counted.has(action) };
    }
  };
  const allowed = new Set(allowedActions(edition.state, edition.final_counts === null));
  return order.filter((action) => allowed.has(action)).map(offer);
}

/** Actions that do nothing without deliveries or suppressions. */
const counted: ReadonlySet<EditionAction> = new Set(["retry", "resend-unknown", "unsuppress"]);

/** The notice on the page after an action. @param n deliveries, or suppressions, that changed */
export function actedText(action: EditionAction, n: number): string {
  switch (action) {
    case "approve":
      return say("acted.approve");
    case "pause":
      return say("acted.pause");
    case "resume":
      return say("acted.resume");
    case "cancel":
      return say("acted.cancel", { n });
    case "unsuppress":
      return n === 0 ? say("acted.unsuppress_none") : say("acted.unsuppress", { n });
    case "retry":
    case "resend-unknown":
      return n === 0 ? say("acted.resend_none") : say("acted.resend", { n });
  }
}
