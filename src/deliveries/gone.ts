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
/** An answer is weighed against at most so many others: a quarter of them gone is far from usual. */
export const goneShare = 4;

/**
 * Whether so many mailboxes are said to be gone that the relay is likelier wrong than the list. A kept list loses some
 * 2 % between two editions, an old one that was imported up to 20 %; a relay with a broken route refuses nearly all. So:
 * twenty and more than a quarter; or ten, or the whole of a smaller list, when not a single mail was taken.
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
