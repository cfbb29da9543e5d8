import { sql } from "kysely";
import { hideArticle, lockArticles } from "../articles/store.ts";
import type { Clock } from "../base/clock.ts";
import { Refusal } from "../base/errors.ts";
import type { Db, Tx } from "../db/schema.ts";
import { type Edition, getEdition, lockEdition } from "./store.ts";
import { editionName } from "../base/edition-name.ts";
import { keepStencil } from "./stencils.ts";
import { type FrozenArticle, frozenArticles, frozenWithIds } from "./frozen-articles.ts";
import { editionChanges, writeAudit, lastActor } from "../audit/audit.ts";
import { compileStencil } from "../render/compile.ts";
import type { EmailTemplates, Publication } from "../render/types.ts";
import { reasonNow } from "./hold.ts";
import { reasonColumns } from "../db/edition-reason.ts";
import { ownLine, ownText } from "./draft.ts";
import { reassign } from "../deliveries/audience.ts";
import { createHash } from "node:crypto";

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
  options: { maxArticles: number };
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
      maxArticles: deps.options.maxArticles,
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

/** Ids of articles; each step is taken only for those that it names. */
export interface Rearrangement {
  /** Those that come first from now on, in this order; the others follow as they were. */
  first?: readonly number[] | undefined;
  /** Those that wait for the next edition from now on. */
  leaveOut?: readonly number[] | undefined;
  /** Those that were left out, and are to be in it again, at the end. */
  takeBack?: readonly number[] | undefined;
}

/**
 * Changes which articles a held edition has, and their order; readers stay as they were frozen. What is left out is
 * unclaimed: the next edition takes it, whichever that is.
 * @param tx holds the edition's row
 * @throws Refusal 422 for an article that is not there to be moved, or when none would be left; 409 for one that cannot
 * be taken back, since another edition has claimed it or it was hidden
 */
export async function rearrange(tx: Tx, edition: Edition, change: Rearrangement, now: Date): Promise<void> {
  const [first, leaveOut, takeBack] = [ids(change.first), ids(change.leaveOut), ids(change.takeBack)];
  if (first.length + leaveOut.length + takeBack.length === 0) return;
  await lockArticles(tx);
  if (leaveOut.length > 0) await moveOut(tx, edition, leaveOut);
  if (takeBack.length > 0) await moveIn(tx, edition, takeBack);
  const articles = await putInOrder(tx, edition, first);
  if (articles === 0) {
    throw new Refusal(422, "no_article_left", { edition: editionName(edition) });
  }
  await tx.updateTable("editions").set({ articles }).where("id", "=", edition.id).execute();
  await reassign(tx, edition.id, now);
}

async function moveOut(tx: Tx, edition: Edition, out: number[]): Promise<void> {
  const { rows } = await sql<{ id: number }>`
    with gone as (
      delete from edition_articles where edition_id = ${edition.id} and article_id = any(${out}::bigint[]) returning *
    ), kept as (
      insert into left_out_articles (edition_id, article_id, tag_ids, snapshot)
      select edition_id, article_id, tag_ids, snapshot from gone
    )
    update articles set edition_id = null from gone where articles.id = gone.article_id returning id`.execute(tx);
  refuseMissing(edition, out, rows);
}

async function moveIn(tx: Tx, edition: Edition, back: number[]): Promise<void> {
  const { rows } = await sql<{ id: number }>`
    with claimed as (
      update articles a set edition_id = ${edition.id}
      where a.id = any(${back}::bigint[]) and a.edition_id is null and not a.hidden
        and exists (select 1 from left_out_articles l where l.edition_id = ${edition.id} and l.article_id = a.id)
      returning a.id
    ), waited as (
      delete from left_out_articles l using claimed
      where l.edition_id = ${edition.id} and l.article_id = claimed.id
      returning l.*
    )
    insert into edition_articles (edition_id, position, article_id, tag_ids, snapshot)
    select edition_id, row_number() over (order by array_position(${back}::bigint[], article_id)) +
      (select coalesce(max(position), 0) from edition_articles where edition_id = ${edition.id}),
      article_id, tag_ids, snapshot
    from waited
    returning article_id as id`.execute(tx);
  const stuck = missing(back, rows);
  if (stuck === undefined) return;
  throw new Refusal(409, "article_not_left_out", { edition: editionName(edition), article: stuck });
}

/** @returns how many articles the edition has */
async function putInOrder(tx: Tx, edition: Edition, first: number[]): Promise<number> {
  // Below zero at first: no two may share a position at any moment.
  await sql`
    update edition_articles ea set position = -sorted.place
    from (
      select article_id, row_number() over (order by array_position(${first}::bigint[], article_id) nulls last, position) as place
      from edition_articles where edition_id = ${edition.id}
    ) sorted
    where ea.edition_id = ${edition.id} and ea.article_id = sorted.article_id`.execute(tx);
  const { rows } = await sql<{ id: number }>`
    update edition_articles set position = -1 - position where edition_id = ${edition.id}
    returning article_id as id`.execute(tx);
  refuseMissing(edition, first, rows);
  return rows.length;
}

function ids(list: readonly number[] = []): number[] {
  return [...new Set(list)];
}

function refuseMissing(edition: Edition, asked: number[], found: { id: number }[]): void {
  const article = missing(asked, found);
  if (article === undefined) return;
  throw new Refusal(422, "article_not_in_edition", { edition: editionName(edition), article });
}

function missing(asked: number[], found: { id: number }[]): number | undefined {
  const there = new Set(found.map(({ id }) => id));
  return asked.find((id) => !there.has(id));
}

/**
 * Names what an editor saw of a held edition, its words and its articles, so that a change made from an old look at it can be
 * told apart: of what was read for that look, and of nothing that came since. Sixteen hexadecimal digits; the same content has
 * the same one.
 */
export function heldRevision({ introduction, subject }: Edition, articles: readonly FrozenArticle[]): string {
  const content = [introduction, subject, articles];
  return createHash("sha256").update(JSON.stringify(content)).digest("hex").slice(0, 16);
}

/**
 * Refuses a change that was made from an outdated view of a held edition.
 * @param seen the revision of the edition that the change was made from
 * @throws Refusal 409 naming who changed it since
 */
async function refuseOutdated(tx: Tx, edition: Edition, seen: string): Promise<void> {
  if (heldRevision(edition, await frozenWithIds(tx, edition.id)) === seen) return;
  const name = editionName(edition);
  const actor = await lastActor(tx, editionChanges, name);
  throw new Refusal(409, "edition_changed", { edition: name, actor });
}
