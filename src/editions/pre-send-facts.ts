import { brokenOnly, checkedLinks } from "./links.ts";
import type { Finding, TemplateProblem } from "../db/edition-reason.ts";
import { sql } from "kysely";
import type { Db, Tx } from "../db/schema.ts";
import type { Stencil } from "../render/types.ts";
import type { Clock } from "../base/clock.ts";
import { Refusal, reasonOf } from "../base/errors.ts";
import { countAudience } from "../deliveries/audience.ts";
import type { SampleStencils } from "./sample.ts";
import { type ComingEdition, comingLinks, sampleOfComing } from "./upcoming.ts";
import type { HoldOptions } from "./hold.ts";

import { preSendFindings, usualEditions, type EditionSize, type PreSendFacts } from "./pre-send-checks.ts";

/** Longer than Easter and most other runs of holidays. */
const silentDays = 5;
/** Before it fell silent, a source brought something on as many of so many days. */
const busyDays = 10;
const busyWithin = 14;

/** What the pre-send checks need of a frozen edition, or of the next one as if it were frozen at `now`. */
export interface Judged extends EditionSize, Pick<PreSendFacts, "readers" | "broken"> {
  /** null for the coming one. */
  id: number | null;
  stencil: Stencil;
  now: Date;
}

export async function loadPreSendFacts(db: Db | Tx, edition: Judged): Promise<PreSendFacts> {
  const { articles, readers, selected, broken, stencil, now } = edition;
  const past = await db
    .selectFrom("editions")
    .select(["articles", "selected", "frozen_at"])
    .where("state", "=", "finished")
    .where("number", "=", 1)
    .$if(edition.id !== null, (query) => query.where("id", "<>", edition.id))
    .orderBy("date", "desc")
    .limit(usualEditions)
    .execute();
  const before = past[0]?.frozen_at ?? null;
  return {
    articles,
    readers,
    selected,
    past,
    smallestMailKb: stencil.kb + Math.max(0, ...stencil.articles.slice(0, 1_000).map(({ lead }) => lead.kb)),
    broken,
    silent: before === null ? [] : await silentSources(db, before, now),
  };
}

/** Those whose silence became long between two instants, so that one silence holds one edition and not all that follow. */
async function silentSources(db: Db | Tx, since: Date, now: Date): Promise<PreSendFacts["silent"]> {
  const { rows } = await sql<{ name: string; days: number }>`
    with seen as (
      select source_id, max(first_seen_at) as last from articles
      where first_seen_at > ${since}::timestamptz - make_interval(days => ${silentDays + busyWithin}) and not backlog
      group by source_id
    )
    select coalesce(s.title, 'Source ' || s.id) as name,
      floor(extract(epoch from ${now}::timestamptz - seen.last) / 86400)::int as days
    from seen join sources s on s.id = seen.source_id
    where s.kind = 'feed'
      and seen.last <= ${now}::timestamptz - make_interval(days => ${silentDays})
      and seen.last > ${since}::timestamptz - make_interval(days => ${silentDays})
      and ${busyDays} <= (
        select count(distinct date_trunc('day', a.first_seen_at)) from articles a
        where a.source_id = s.id and not a.backlog
          and a.first_seen_at > seen.last - make_interval(days => ${busyWithin})
      )
    order by s.id`.execute(db);
  return rows;
}

export interface FindingsDeps {
  db: Db;
  clock: Clock;
  samples: SampleStencils;
  options: Pick<HoldOptions, "preSendChecks">;
}

/**
 * What the pre-send checks would find if the next edition were frozen now. Links are judged by their last check.
 */
export async function comingFindings(deps: FindingsDeps, coming: ComingEdition): Promise<Finding[]> {
  const { db, clock, samples, options } = deps;
  const links = comingLinks(coming);
  if (options.preSendChecks === "off" || links.length === 0) return [];
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

/** What is wrong with a template, as an edition keeps it. */
export function templateProblem(error: unknown): TemplateProblem {
  return error instanceof Refusal && error.code !== null
    ? { error: error.code, params: error.details }
    : { text: reasonOf(error) };
}
