import type { CheckDeps } from "./links.ts";
import { compileStencil } from "../render/compile.ts";
import { whyHeld, type HoldOptions } from "./hold.ts";
import type { EmailTemplates, Publication, Stencil } from "../render/types.ts";
import { getEditionById, type Edition } from "./store.ts";
import { editionName } from "../base/edition-name.ts";
import { reasonColumns, reasonOfEdition, type Reason } from "../db/edition-reason.ts";
import { templateProblem } from "./pre-send-facts.ts";
import { isRendered, keepStencil, startSending } from "./stencils.ts";
import { frozenArticles } from "./frozen-articles.ts";

export interface RenderDeps extends CheckDeps {
  /** Reads the templates each time, so that a fixed template needs no restart. */
  templates(): Promise<EmailTemplates>;
  publication: Publication;
  options: HoldOptions & { maxArticles: number };
}

/**
 * Creates the stencil of a frozen edition and starts sending, unless the edition must wait for an editor. An edition that
 * is being sent gets a new stencil if its own is from an older release or was removed by retention. Once `signal` has
 * aborted, nothing is decided and the next job does it.
 * @returns whether there is something to send now
 * @throws what is wrong with the template; the edition keeps it as its reason and stays opening
 */
export async function renderEdition(deps: RenderDeps, editionId: number, signal?: AbortSignal): Promise<boolean> {
  const { db, clock, log } = deps;
  const edition = await getEditionById(db, editionId);
  if (!edition) return false;
  const { state } = edition;
  if (state !== "opening" && state !== "sending" && state !== "paused") return false;
  if (state !== "opening" && (await isRendered(db, editionId))) return state === "sending";
  const stencil = await stencilOf(deps, edition);
  if (state !== "opening") {
    await keepStencil(db, editionId, stencil);
    return state === "sending";
  }
  const hold = await whyHeld(deps, { edition, stencil, signal });
  if (signal?.aborted) return false;
  const now = clock.now();
  const reason = hold?.reason ?? reasonNow(edition, now);
  const moved = await startSending(db, editionId, { stencil, reason, now, held: hold ?? undefined });
  const about = { edition: editionId, date: editionName(edition), selected: edition.selected };
  if (moved && hold) log.warn({ ...about, reason: hold.reason.code }, "edition held");
  else if (moved) log.info(about, "edition rendered");
  return moved && !hold;
}

async function stencilOf({ db, templates, publication, options }: RenderDeps, edition: Edition): Promise<Stencil> {
  const { id, date, number, introduction, subject } = edition;
  const words = { introduction, subject };
  const articles = await frozenArticles(db, id);
  try {
    return await compileStencil(await templates(), {
      publication,
      edition: { date, number },
      articles,
      mode: "edition",
      words,
      maxArticles: options.maxArticles,
    });
  } catch (error) {
    const reason = reasonColumns({ code: "template_failed", data: templateProblem(error) });
    await db.updateTable("editions").set(reason).where("id", "=", id).where("state", "=", "opening").execute();
    throw error;
  }
}

function reasonNow(edition: Edition, now: Date): Reason | null {
  if (edition.reason_code !== "template_failed") return reasonOfEdition(edition);
  const minutes = Math.floor((now.getTime() - edition.due_at.getTime()) / 60_000);
  return { code: "sent_late_after_template_failed", data: { minutes } };
}
