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

/** How far an edition is, as the pages show it. */
export interface Progress {
  id: number;
  /** In one sentence, for the first page. */
  words: string;
  /** The sum: `selected 3 = sent 3 + …`. */
  sum: string;
  bar: BarPart[];
  /** Such as `2,400 a minute, 3 minutes to go`; null while nothing moves. */
  rate: string | null;
  domains: ShownDomain[];
}

/** The editions of late with their states, and how far those are that are not over. */
export interface Picture {
  editions: { id: number; state: EditionState }[];
  progress: Progress[];
}

/** How many editions the pages look at; older ones too while they are not over. */
export const lookedAt = 3;
export const shownDomains = 8;
/** The receiving domains cost more to count, and are looked at more rarely. */
const domainsEvery = 5;

/** @returns what looks once: two queries, or one while every edition is over, and now and then one more for the domains */
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
