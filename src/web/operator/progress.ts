import type { App } from "../../app.ts";
import { countByDomain } from "../../deliveries/search.ts";
import { countEditions } from "../../deliveries/store.ts";
import { localDate } from "../../schedule/calendar.ts";
import { balance, isActive, type Balance, type EditionState } from "../../editions/state.ts";
import { listCurrent, type Edition } from "../../editions/store.ts";
import { editionInWords } from "../../operations/today.ts";
import { barOf, type BarPart } from "./bar.ts";
import { domainRows, type ShownDomain } from "./domains.ts";
import { speed } from "./speed.ts";

/** An edition's progress as shown on pages. */
export interface Progress {
  id: number;
  /** A sentence for the Today page. */
  words: string;
  /** The sum: `selected 3 = sent 3 + …`. */
  sum: string;
  bar: BarPart[];
  /** Such as `2,400 per minute, 3 minutes left`; null while nothing is sent. */
  rate: string | null;
  domains: ShownDomain[];
}

/** The latest editions with their states, and the progress of the active ones. */
export interface Picture {
  editions: { id: number; state: EditionState }[];
  progress: Progress[];
}

/** Number of editions on the Today page, besides older active ones. */
export const lookedAt = 3;
export const shownDomains = 8;
/** Receiving domains are expensive to count, so they are read less often. */
const domainsEvery = 5;

/** @returns a function that reads the progress with two queries, or one if no edition is active, and an occasional one for domains */
export function followEditions({ db, clock }: Pick<App, "db" | "clock">): () => Promise<Picture> {
  const kept = new Map<number, { state: EditionState; measure: ReturnType<typeof speed>; domains: ShownDomain[] }>();
  let looks = 0;

  async function progressOf(edition: Edition, counts: Balance, now: Date): Promise<Progress> {
    const { id, state } = edition;
    const known = kept.get(id);
    const fresh = known?.state !== state || looks % domainsEvery === 0;
    const domains = fresh ? domainRows(await countByDomain(db, id, shownDomains)) : known.domains;
    const measure = known?.measure ?? speed();
    kept.set(id, { state, measure, domains });
    return {
      id,
      words: editionInWords({ ...edition, balance: counts }, localDate(now, edition.timezone)),
      sum: balance(counts).sentence,
      bar: barOf(counts),
      rate: state === "sending" ? measure(counts, now.getTime()) : null,
      domains,
    };
  }

  return async () => {
    const editions = await listCurrent(db, lookedAt);
    const active = editions.filter(({ state }) => isActive(state));
    const counts = await countEditions(db, active);
    const now = clock.now();
    const progress: Progress[] = [];
    for (const edition of active) progress.push(await progressOf(edition, counts.get(edition.id)!, now));
    looks += 1;
    for (const id of kept.keys()) if (!counts.has(id)) kept.delete(id);
    return { editions: editions.map(({ id, state }) => ({ id, state })), progress };
  };
}
