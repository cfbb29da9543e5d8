import { type Edition, lockEdition } from "./store.ts";
import { editionName } from "../base/edition-name.ts";
import { loadStencil } from "./stencils.ts";
import { writeAudit } from "../audit/audit.ts";
import { type ArticleLink, type CheckDeps, type CheckedLink, checkedLinks, checkLinks, editionLinks } from "./links.ts";
import { type ComingDeps, comingEdition, type ComingEdition, comingLinks } from "./upcoming.ts";
import { reasonNow } from "./hold.ts";
import { reasonColumns } from "../db/edition-reason.ts";

/** What is known of the links of an edition. */
export interface LinkReport {
  links: CheckedLink[];
  /** Articles whose links were not asked for, or not in time. */
  unchecked: number;
}

/**
 * Checks at once where an edition's articles lead. If the edition is held, its reason is updated with the result.
 * @param edition null for the next one
 */
export async function checkLinksNow(
  deps: CheckDeps & ComingDeps,
  { edition, actor }: { edition: Edition | null; actor: string },
): Promise<LinkReport> {
  const { db, clock } = deps;
  const links = edition ? await editionLinks(db, edition.id) : comingLinks(await comingEdition(deps));
  const report = reportOf(links, await checkLinks(deps, links, { again: true }));
  const subject = edition ? editionName(edition) : "next";
  const detail = { asked: report.links.length };
  await writeAudit(db, { at: clock.now(), actor, action: "edition check-links", subject, detail });
  if (edition?.state === "held") await updateReason(deps, edition, report.links);
  return report;
}

/** What the last checks found. @param of a frozen edition, or the next one */
export async function linksOf({ db }: Pick<CheckDeps, "db">, of: Edition | ComingEdition): Promise<LinkReport> {
  const links = "id" in of ? await editionLinks(db, of.id) : comingLinks(of);
  return reportOf(links, await checkedLinks(db, links));
}

function reportOf(links: readonly ArticleLink[], checked: CheckedLink[]): LinkReport {
  return { links: checked, unchecked: links.length - checked.length };
}

async function updateReason({ db }: CheckDeps, { id }: Edition, links: CheckedLink[]): Promise<void> {
  const stencil = await loadStencil(db, id);
  if (!stencil) return;
  await db.transaction().execute(async (tx) => {
    const edition = await lockEdition(tx, id);
    if (edition.state !== "held") return;
    const reason = await reasonNow(tx, edition, stencil, links);
    await tx.updateTable("editions").set(reasonColumns(reason)).where("id", "=", id).execute();
  });
}
