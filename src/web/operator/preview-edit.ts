import type { Db } from "../../db/schema.ts";
import type { ComingArticle, ComingEdition } from "../../editions/coming.ts";
import { heldRevision } from "../../editions/held-revision.ts";
import type { Edition } from "../../editions/store.ts";
import { operatorPathOf } from "../../base/edition-name.ts";
import { frozenWithIds, leftOutArticles } from "../../editions/frozen-articles.ts";

/** The editable parts of a preview. */
export interface EditBlock {
  /** Prefix of the forms' paths. */
  base: string;
  /** Whether the edition is held. Its readers are fixed, and original texts cannot be restored. */
  held: boolean;
  /** The revision shown. A change based on an outdated revision is refused. */
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
