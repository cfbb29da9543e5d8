import type { Verdict } from "../mail/verdict.ts";
import { refusalLimit } from "../providers/in-a-row.ts";

/** How many mailboxes do not exist according to the relay, of all emails of an edition that it accepted or refused. */
export interface Gone {
  gone: number;
  answered: number;
  /** Those that it has not been asked about yet included. */
  mails: number;
}

/** Fewer than this say nothing: one may be mistyped, and of a larger list the first few may happen to be dead. */
export function fewestGone(mails: number): number {
  return Math.min(10, Math.max(2, mails));
}

const manyGone = 20;
/** More than one address in this many is far from usual. */
export const goneShare = 4;

/**
 * Whether the relay reports so many missing mailboxes that the relay is more likely to be wrong than the list. A maintained
 * list loses about 2% between two editions, an old imported one up to 20%. A relay with a broken route refuses almost all.
 * The limits are 20 addresses and more than a quarter, or 10 addresses (all of a smaller list) if no email was accepted.
 */
export function tooManyGone({ gone, answered, mails }: Gone): boolean {
  if (gone >= manyGone && gone * goneShare > answered) return true;
  return gone >= fewestGone(mails) && gone >= answered;
}

/**
 * Decides when to look whether an edition's mailboxes are gone in masses: at first at each of them, later whenever there
 * are a tenth more, so that an edition with thousands of them costs some sixty looks.
 * @param look asks the database, which knows of other workers and of the time before a crash
 */
export function createGoneWatch(look: (editionId: number) => void): (editionId: number, more: number) => void {
  const seen = new Map<number, number>();
  return (editionId, more) => {
    const before = seen.get(editionId) ?? 0;
    seen.set(editionId, before + more);
    if (level(before + more) > level(before)) look(editionId);
  };
}

const level = (count: number): number => (count === 0 ? -1 : Math.floor(Math.log(count) / Math.log(1.1)));

/** Notices when an edition is refused by everybody for reasons of policy. */
export interface PolicyWatch {
  /** @returns whether the edition is being paused because of this verdict */
  note(editionId: number, provider: string, verdict: Verdict): boolean;
  /** A provider's refusals are its own: sending to it has stopped. */
  forget(provider: string): void;
}

/**
 * Notices a relay that refuses everything for reasons of policy (5.7.x, authentication, content), so that the edition
 * can be paused instead of burning through its readers (Microsoft: stop after repeated refusals). Refusals that may be a
 * provider's own count only together with those of others: one provider alone is blocked, and the edition goes on.
 * @param pause called once per row of refusals, with the relay's last reply
 */
export function createPolicyWatch(pause: (editionId: number, reply: string) => void): PolicyWatch {
  const inARow = new Map<number, Map<string, number>>();
  return {
    note(editionId, provider, verdict) {
      if (verdict.kind === "sent") inARow.delete(editionId);
      if (verdict.kind !== "rejected" || verdict.scope !== "policy") return false;
      const row = inARow.get(editionId) ?? new Map<string, number>();
      const whose = verdict.byProvider ? provider : everybody;
      inARow.set(editionId, row.set(whose, (row.get(whose) ?? 0) + 1));
      const count = [...row.values()].reduce((sum, one) => sum + one, 0);
      if (count < refusalLimit || (row.size === 1 && whose !== everybody)) return false;
      inARow.delete(editionId);
      pause(editionId, verdict.reply ?? "");
      return true;
    },
    forget(provider) {
      for (const row of inARow.values()) row.delete(provider);
    },
  };
}

const everybody = "";
