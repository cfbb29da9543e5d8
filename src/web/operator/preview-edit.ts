import type { Db } from "../../db/schema.ts";
import type { ComingArticle, ComingEdition } from "../../editions/coming.ts";
import { heldRevision } from "../../editions/held-revision.ts";
import type { Edition } from "../../editions/store.ts";
import { operatorPathOf } from "../../base/edition-name.ts";
import { frozenWithIds, leftOutArticles } from "../../editions/frozen-articles.ts";

/** What may be changed on a preview, and where to. */
export interface EditBlock {
  /** Before the path of each change. */
  base: string;
  /** Whether it is of an edition that is held: its readers are fixed, and words are written anew or not at all. */
  held: boolean;
  /** As it is shown: a change made from it is refused once somebody else has changed it. */
  revision: string;
  introduction: string;
  subject: string;
  articles: ShownArticle[];
}

type ShownArticle = ReturnType<typeof showArticle>;

export function ofComing({ revision, draft, articles }: ComingEdition, base: string): EditBlock {
  return {
    base,
    held: false,
    revision: String(revision),
    introduction: draft.introduction ?? "",
    subject: draft.subject ?? "",
    articles: articles.map(showArticle),
  };
}

export async function ofHeld(db: Db, edition: Edition): Promise<EditBlock> {
  const [articles, out] = await Promise.all([frozenWithIds(db, edition.id), leftOutArticles(db, edition.id)]);
  const all = [
    ...articles.map((article) => ({ ...article, leftOut: false, original: null })),
    ...out.map((article) => ({ ...article, leftOut: true, original: null })),
  ];
  return {
    base: operatorPathOf(edition),
    held: true,
    revision: heldRevision(edition, articles),
    introduction: edition.introduction ?? "",
    subject: edition.subject ?? "",
    articles: all.map(showArticle),
  };
}

function showArticle(article: ComingArticle, index: number) {
  return {
    id: article.id,
    title: article.title,
    summary: article.summary,
    tags: article.tags,
    origin: article.origin?.name ?? null,
    leftOut: article.leftOut,
    edited: article.original !== null,
    first: index === 0,
  };
}
