import { performance } from "node:perf_hooks";
import type { App } from "../../app.ts";
import { reasonOf } from "../../base/errors.ts";
import { countByDomain } from "../../deliveries/search.ts";
import { editionName, listEditions, type Edition } from "../../editions/store.ts";
import { editionStatus } from "../../ops/status.ts";
import { barOf, type BarPart } from "./bar.ts";
import { domainRows, type DomainRow } from "./domains.ts";
import { speed } from "./speed.ts";

/** What the pages are told of an edition while it goes out; whole each time, so that whoever comes late misses nothing. */
export interface Progress {
  name: string;
  state: string;
  balance: string;
  bar: BarPart[];
  /** Such as `2,400 a minute, 3 minutes to go`; null while nothing moves. */
  rate: string | null;
  domains: DomainRow[];
}

export interface Live {
  /** Tells how things are at the next look, and then of changes, until the given function is called. */
  watch(tell: (progress: Progress) => void): () => void;
  close(): void;
}

const shownDomains = 8;
/** The receiving domains cost more to count, and are looked at more rarely. */
const domainsEvery = 5;
/** So that looking takes at most 2.5 % of one connection, however large the edition is. */
const restPerWork = 40;

/** One look at the database serves all watchers of this process; without watchers nobody looks. */
export function openLive(app: Pick<App, "db" | "clock" | "log">, everyMs = 1_000): Live {
  const watchers = new Set<(progress: Progress) => void>();
  /** Who has been told nothing yet. What was known before they came may be older than the page they look at. */
  const waiting = new Set<(progress: Progress) => void>();
  const measure = speed();
  let last: Progress | null = null;
  let timer: NodeJS.Timeout | null = null;
  let looking = false;
  let looks = 0;

  async function look(): Promise<void> {
    if (looking) return;
    looking = true;
    const started = performance.now();
    const untold = [...waiting];
    try {
      const next = await load();
      const changed = JSON.stringify(next) !== JSON.stringify(last);
      if (next && changed) last = next;
      const told = changed ? [...watchers].filter((tell) => !waiting.has(tell) || untold.includes(tell)) : untold;
      if (next) {
        for (const tell of told) {
          waiting.delete(tell);
          if (watchers.has(tell)) tell(next);
        }
      }
    } catch (error) {
      app.log.warn({ reason: reasonOf(error) }, "progress could not be read");
    }
    looking = false;
    if (watchers.size === 0) return;
    timer = setTimeout(() => void look(), Math.max(everyMs, (performance.now() - started) * restPerWork));
    timer.unref();
  }

  async function load(): Promise<Progress | null> {
    const edition = await currentEdition(app);
    if (!edition) return null;
    const { balance, sentence } = await editionStatus(app.db, edition);
    const name = editionName(edition);
    const fresh = looks % domainsEvery === 0 || last?.name !== name || last.state !== edition.state;
    looks += 1;
    return {
      name,
      state: edition.state,
      balance: sentence,
      bar: barOf(balance),
      rate: edition.state === "sending" ? measure(name, balance, app.clock.now().getTime()) : null,
      domains: fresh || !last ? domainRows(await countByDomain(app.db, edition.id, shownDomains)) : last.domains,
    };
  }

  return {
    watch(tell) {
      watchers.add(tell);
      waiting.add(tell);
      if (watchers.size === 1) {
        // What is left from earlier watchers is old.
        last = null;
        looks = 0;
        if (timer) clearTimeout(timer);
        void look();
      }
      return () => {
        watchers.delete(tell);
        waiting.delete(tell);
        if (watchers.size > 0 || !timer) return;
        clearTimeout(timer);
        timer = null;
      };
    },
    close() {
      watchers.clear();
      waiting.clear();
      if (timer) clearTimeout(timer);
      timer = null;
    },
  };
}

/** The one that goes out, or waits to; else the newest. */
async function currentEdition({ db }: Pick<App, "db">): Promise<Edition | undefined> {
  const newest = await listEditions(db, 5);
  return (
    newest.find(({ state }) => state === "sending" || state === "opening" || state === "paused" || state === "held") ??
    newest[0]
  );
}
