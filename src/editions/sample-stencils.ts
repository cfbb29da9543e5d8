import { createHash, randomUUID } from "node:crypto";
import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { remember } from "../base/remember.ts";
import type { Db } from "../db/schema.ts";
import { prepare, type Prepared } from "../render/assemble.ts";
import { compileStencil } from "../render/compile.ts";
import { senderOf } from "../render/sender.ts";
import type { EditionArticle, EditionName, EditionWords, EmailTemplates, Publication } from "../render/types.ts";
import type { Edition } from "./store.ts";
import { editionName } from "../base/edition-name.ts";
import { frozenArticles } from "./frozen-articles.ts";

/** What a sample copy is made of. */
export interface SampleOf {
  edition: EditionName;
  /** Where all of it stands on the web. */
  path: string;
  /** Two with the same key have the same articles. */
  key: string;
  words?: EditionWords;
  /** In any order; positions are unique. */
  articles(): Promise<EditionArticle[]>;
}

/** A sample copy with everything done that does not depend on its tags. */
export interface SampleStencil {
  prepared: Prepared;
  articles: Pick<EditionArticle, "position" | "tags">[];
}

/** Makes the stencil of a sample copy, or finds the one that this process has made already. */
export type SampleStencils = (of: SampleOf) => Promise<SampleStencil>;

/** A stencil holds its articles in both forms: some 4 kB each. */
const mostKept = 4;

/**
 * Keeps the stencils used last, since compiling MJML takes a hundred times as long as filling a stencil. Requests that
 * come together share one compile; a failed one is not kept, and a changed template makes a new one.
 */
export function createSampleStencils(deps: {
  publication: Publication;
  templates(): Promise<EmailTemplates>;
  templateFolder: string;
}): SampleStencils {
  const kept = new Map<string, Promise<SampleStencil>>();
  return async (of) => {
    const key = `${of.key} ${await stampOf(deps.templateFolder)}`;
    const made = kept.get(key) ?? make(deps, of);
    remember(kept, key, made, mostKept);
    try {
      return await made;
    } catch (error) {
      if (kept.get(key) === made) kept.delete(key);
      throw error;
    }
  };
}

export function sampleOfEdition(
  db: Db,
  edition: Pick<Edition, "id" | "date" | "number" | "sending_at" | keyof EditionWords>,
): SampleOf {
  const { id, date, number, introduction, subject, sending_at } = edition;
  return {
    edition: { date, number },
    path: `/editions/${editionName(edition)}`,
    // Its texts may change until it is sent.
    key: `edition ${id} ${sending_at === null ? randomUUID() : ""}`,
    words: { introduction, subject },
    articles: () => frozenArticles(db, id),
  };
}

/** Of articles that no edition has frozen. @param path where they stand on the web */
export function sampleOfArticles(
  edition: EditionName,
  articles: EditionArticle[],
  path: string,
  own?: EditionWords,
): SampleOf {
  const words = { introduction: own?.introduction ?? null, subject: own?.subject ?? null };
  const content = createHash("sha256")
    .update(JSON.stringify([words, articles]))
    .digest("base64url");
  return { edition, path, key: `articles ${editionName(edition)} ${content}`, words, articles: async () => articles };
}

async function make(
  { publication, templates }: { publication: Publication; templates(): Promise<EmailTemplates> },
  { edition, articles, words }: SampleOf,
): Promise<SampleStencil> {
  const all = await articles();
  const input = { publication, edition, articles: all, mode: "sample" as const, ...(words ? { words } : {}) };
  const stencil = await compileStencil(await templates(), input);
  return {
    prepared: prepare(stencil, senderOf(publication, edition)),
    articles: all.map(({ position, tags }) => ({ position, tags })),
  };
}

/** Changes whenever a file of the folder does. */
async function stampOf(folder: string): Promise<string> {
  const names = (await readdir(folder)).toSorted();
  const stats = await Promise.all(names.map((name) => stat(join(folder, name))));
  return stats.map(({ mtimeMs, size }, i) => `${names[i]} ${mtimeMs} ${size}`).join();
}
