import type { Clock } from "../base/clock.ts";
import { Refusal } from "../base/errors.ts";
import type { Db } from "../db/schema.ts";
import { countAudience } from "../deliveries/audience.ts";
import type { SampleStencils } from "./sample-stencils.ts";
import type { Stencil } from "../render/types.ts";
import { comingLinks, sampleOfComing, type ComingEdition } from "./coming.ts";
import { loadPreSendFacts } from "./pre-send-facts.ts";
import { preSendFindings } from "./pre-send-checks.ts";
import type { HoldOptions } from "./hold.ts";
import { templateProblem, type Finding } from "./reason.ts";
import { brokenOnly, checkedLinks } from "./link-store.ts";

export interface FindingsDeps {
  db: Db;
  clock: Clock;
  samples: SampleStencils;
  options: Pick<HoldOptions, "gate">;
}

/**
 * What the pre-send checks would find if the next edition were frozen now. Links are judged by their last check.
 */
export async function comingFindings(deps: FindingsDeps, coming: ComingEdition): Promise<Finding[]> {
  const { db, clock, samples, options } = deps;
  const links = comingLinks(coming);
  if (options.gate === "off" || links.length === 0) return [];
  const made = await stencilOf(samples, coming);
  if ("code" in made) return [made];
  const now = clock.now();
  const ids = links.map(({ id }) => id);
  const [audience, checked] = await Promise.all([countAudience(db, ids, now), checkedLinks(db, links)]);
  const edition = { ...audience, id: null, articles: ids.length, stencil: made, broken: brokenOnly(checked), now };
  return preSendFindings(await loadPreSendFacts(db, edition));
}

/** A broken template is a finding and not an error, so that the edition can still be changed. */
async function stencilOf(samples: SampleStencils, coming: ComingEdition): Promise<Stencil | Finding> {
  try {
    return (await samples(sampleOfComing(coming))).prepared.stencil;
  } catch (error) {
    if (error instanceof Refusal) return { code: "template_failed", data: templateProblem(error) };
    throw error;
  }
}
