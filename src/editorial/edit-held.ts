import { sql } from "kysely";
import type { Clock } from "../base/clock.ts";
import { Refusal } from "../base/errors.ts";
import type { Db, Tx } from "../db/schema.ts";
import { frozenArticles, getEdition, keepStencil, lockEdition, editionName, type Edition } from "../editions/store.ts";
import { writeAudit } from "../ops/audit.ts";
import { compileStencil } from "../render/compile.ts";
import type { EmailTemplates, Publication } from "../render/types.ts";
import { ownLine, ownText } from "./own-words.ts";

/** What is left out stays as it is. A held edition's articles are fixed, so nothing can be undone but by writing it anew. */
export interface HeldChange {
  introduction?: string | null | undefined;
  subject?: string | null | undefined;
  /** By article id. */
  words?: Readonly<Record<string, { title?: string | undefined; summary?: string | undefined }>> | undefined;
}

export interface HeldDeps {
  db: Db;
  clock: Clock;
  templates(): Promise<EmailTemplates>;
  publication: Publication;
}

/**
 * Mends the words of an edition that is held; who gets which article stays as it was frozen. Words and stencil change
 * together, so that what is approved afterwards is what was looked at.
 * @throws Refusal 409 unless it is held, 422 for an article that it has not, a text too long, or an empty title
 */
export async function editHeld(
  deps: HeldDeps,
  request: { date: string; number: number; change: HeldChange; actor: string },
): Promise<Edition> {
  const { db, clock, publication } = deps;
  const { change, actor } = request;
  const templates = await deps.templates();
  const { id } = await getEdition(db, request.date, request.number);
  return db.transaction().execute(async (tx) => {
    const before = await lockEdition(tx, id);
    const name = editionName(before);
    if (before.state !== "held") {
      const when = `edition ${name} is ${before.state}`;
      throw new Refusal(409, `Words can be changed only while an edition is held, and ${when}.`, {
        state: before.state,
      });
    }
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
    await writeAudit(tx, { at: clock.now(), actor, action: "edition edit", subject: name, detail: change });
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
    if (line === null) throw new Refusal(422, `The title of article ${article} is empty: write one.`);
    own["title"] = line;
  }
  if (summary !== undefined) own["summary"] = ownLine("summary", summary) ?? "";
  const { numAffectedRows } = await sql`
    update edition_articles set snapshot = snapshot || ${JSON.stringify(own)}::jsonb
    where edition_id = ${edition.id} and article_id = ${article}`.execute(tx);
  if (numAffectedRows !== 1n) {
    throw new Refusal(
      422,
      `Edition ${editionName(edition)} has no article ${article}: see \`dayletter edition show\`.`,
    );
  }
}
