import { createHash } from "node:crypto";
import { editionChanges } from "../audit/audit.ts";
import { lastActor } from "../audit/audit-log.ts";
import { Refusal } from "../base/errors.ts";
import type { Tx } from "../db/schema.ts";
import { frozenWithIds, type FrozenArticle } from "./frozen-articles.ts";
import { editionName } from "../base/edition-name.ts";
import type { Edition } from "./store.ts";

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
export async function refuseOutdated(tx: Tx, edition: Edition, seen: string): Promise<void> {
  if (heldRevision(edition, await frozenWithIds(tx, edition.id)) === seen) return;
  const name = editionName(edition);
  const actor = await lastActor(tx, editionChanges, name);
  throw new Refusal(409, "edition_changed", { edition: name, actor });
}
