import { sql } from "kysely";
import { hideArticle } from "../articles/store.ts";
import type { Clock } from "../base/clock.ts";
import { Refusal } from "../base/errors.ts";
import type { Db, Tx } from "../db/schema.ts";
import { getEdition, lockEdition, type Edition } from "./store.ts";
import { editionName } from "../base/edition-name.ts";
import { keepStencil } from "./stencils.ts";
import { frozenArticles } from "./frozen-articles.ts";
import { writeAudit } from "../audit/audit.ts";
import { compileStencil } from "../render/compile.ts";
import type { EmailTemplates, Publication } from "../render/types.ts";
import { refuseOutdated } from "./held-revision.ts";
import { reasonNow } from "./hold.ts";
import { reasonColumns } from "./reason.ts";
import { ownLine, ownText } from "./editors-texts.ts";
import { rearrange, type Rearrangement } from "./rearrange.ts";

/** Omitted fields stay as they are. Frozen texts cannot be reset, because the source's own are not kept. */
export interface HeldChange extends Rearrangement {
  introduction?: string | null | undefined;
  subject?: string | null | undefined;
  /** By article id. */
  words?: Readonly<Record<string, { title?: string | undefined; summary?: string | undefined }>> | undefined;
  /** Ids of articles that are left out of it and of every other edition. */
  hide?: readonly number[] | undefined;
}

export interface HeldDeps {
  db: Db;
  clock: Clock;
  templates(): Promise<EmailTemplates>;
  publication: Publication;
}

/**
 * Changes an edition that is held: its words, the order of its articles, and which of them it has. Its readers stay as
 * they were frozen. Articles, cohorts, stencil and the reason for the hold change together, so that what is approved
 * afterwards is what was checked.
 * @param request.revision of the edition as it was shown to the editor; a change that came between is refused
 * @throws Refusal 409 unless it is held, when somebody else has changed it, or for an article that cannot be taken back; 422 for one that it has not, a text
 * too long, an empty title, or when no article would be left
 */
export async function editHeld(
  deps: HeldDeps,
  request: { date: string; number: number; change: HeldChange; revision?: string | undefined; actor: string },
): Promise<Edition> {
  const { db, clock, publication } = deps;
  const { change, revision, actor } = request;
  const { hide = [], leaveOut = [] } = change;
  const templates = await deps.templates();
  const { id } = await getEdition(db, request.date, request.number);
  return db.transaction().execute(async (tx) => {
    const before = await lockEdition(tx, id);
    const name = editionName(before);
    const now = clock.now();
    const { state } = before;
    if (state !== "held") throw new Refusal(409, "edition_not_held", { edition: name, state });
    if (revision !== undefined) await refuseOutdated(tx, before, revision);
    await rearrange(tx, before, { ...change, leaveOut: [...leaveOut, ...hide] }, now);
    for (const article of hide) await hideArticle(tx, article);
    for (const [article, words] of Object.entries(change.words ?? {})) await reword(tx, before, Number(article), words);
    const introduction = change.introduction === undefined ? before.introduction : ownText(change.introduction);
    const subject = change.subject === undefined ? before.subject : ownLine("subject", change.subject);
    await tx.updateTable("editions").set({ introduction, subject }).where("id", "=", id).execute();
    const stencil = await compileStencil(templates, {
      publication,
      edition: { date: before.date, number: before.number },
      articles: await frozenArticles(tx, id),
      mode: "edition",
      words: { introduction, subject },
    });
    await keepStencil(tx, id, stencil);
    const reason = await reasonNow(tx, await lockEdition(tx, id), stencil);
    await tx.updateTable("editions").set(reasonColumns(reason)).where("id", "=", id).execute();
    await writeAudit(tx, { at: now, actor, action: "edition edit", subject: name, detail: change });
    return lockEdition(tx, id);
  });
}

async function reword(
  tx: Tx,
  edition: Edition,
  article: number,
  { title, summary }: { title?: string | undefined; summary?: string | undefined },
): Promise<void> {
  const own: Record<string, string> = {};
  if (title !== undefined) {
    const line = ownLine("title", title);
    if (line === null) throw new Refusal(422, "article_title_empty", { article });
    own["title"] = line;
  }
  if (summary !== undefined) own["summary"] = ownLine("summary", summary) ?? "";
  const { numAffectedRows } = await sql`
    update edition_articles set snapshot = snapshot || ${JSON.stringify(own)}::jsonb
    where edition_id = ${edition.id} and article_id = ${article}`.execute(tx);
  if (numAffectedRows !== 1n) {
    throw new Refusal(422, "article_not_in_edition", { edition: editionName(edition), article });
  }
}
