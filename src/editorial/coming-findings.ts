import type { Clock } from "../base/clock.ts";
import type { Db } from "../db/schema.ts";
import { countAudience } from "../deliveries/audience.ts";
import type { SampleStencils } from "../editions/sample-stencils.ts";
import { comingLinks, sampleOfComing, type ComingEdition } from "./coming.ts";
import { loadGateFacts } from "./gate-facts.ts";
import { gateFindings } from "./gate.ts";
import type { HoldOptions } from "./hold.ts";
import { brokenOnly, checkedLinks } from "./link-store.ts";

export interface FindingsDeps {
  db: Db;
  clock: Clock;
  samples: SampleStencils;
  options: Pick<HoldOptions, "gate">;
}

/**
 * Why the gate would hold the coming edition if it were frozen now, a sentence each: with the articles, readers and
 * sources of this moment, and what is known of its links.
 */
export async function comingFindings(deps: FindingsDeps, coming: ComingEdition): Promise<string[]> {
  const { db, clock, samples, options } = deps;
  const links = comingLinks(coming);
  if (options.gate === "off" || links.length === 0) return [];
  const now = clock.now();
  const ids = links.map(({ id }) => id);
  const [{ prepared }, audience, checked] = await Promise.all([
    samples(sampleOfComing(coming)),
    countAudience(db, ids, now),
    checkedLinks(db, links),
  ]);
  const edition = {
    ...audience,
    id: null,
    articles: ids.length,
    stencil: prepared.stencil,
    broken: brokenOnly(checked),
  };
  return gateFindings(await loadGateFacts(db, { ...edition, now }));
}
