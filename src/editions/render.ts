import type { Clock } from "../base/clock.ts";
import { Refusal } from "../base/errors.ts";
import type { Log } from "../base/log.ts";
import type { Db } from "../db/schema.ts";
import { compileStencil } from "../render/compile.ts";
import type { EmailTemplates, Publication } from "../render/types.ts";
import { editionName, frozenArticles, getEditionById, startSending } from "./store.ts";

export interface RenderDeps {
  db: Db;
  clock: Clock;
  log: Log;
  /** Read anew each time, so that a mended template needs no restart. */
  templates(): Promise<EmailTemplates>;
  publication: Publication;
}

/**
 * Makes the stencil of a frozen edition and lets it go out. An edition past that stays as it is.
 * @returns whether there is something to send now
 * @throws Refusal when the template does not compile; the edition keeps the sentence as its reason and stays opening
 */
export async function renderEdition(deps: RenderDeps, editionId: number): Promise<boolean> {
  const edition = await getEditionById(deps.db, editionId);
  if (!edition) return false;
  if (edition.state !== "opening") return edition.state === "sending";
  const { date, number } = edition;
  try {
    const stencil = await compileStencil(await deps.templates(), {
      publication: deps.publication,
      edition: { date, number },
      articles: await frozenArticles(deps.db, editionId),
      mode: "edition",
    });
    const started = await startSending(deps.db, editionId, stencil, deps.clock.now());
    if (started) deps.log.info({ edition: editionId, date: editionName(edition), selected: edition.selected }, "edition rendered");
    return started;
  } catch (error) {
    if (error instanceof Refusal) {
      await deps.db.updateTable("editions").set({ reason: error.message }).where("id", "=", editionId).execute();
    }
    throw error;
  }
}
