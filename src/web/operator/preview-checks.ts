import type { App } from "../../app.ts";
import type { ComingEdition } from "../../editions/coming.ts";
import { comingFindings } from "../../editions/coming-findings.ts";
import { linksOf } from "../../editions/links-now.ts";
import { editionReason, findingInWords } from "../../editions/reason.ts";
import type { Edition } from "../../editions/store.ts";
import { httpUrl } from "../../render/plain.ts";
import { count, shortMoment } from "./format.ts";

/** The check results on a preview. */
export interface ChecksBlock {
  /** Why the edition is held; null for the next edition and for editions that are not held. */
  reason: string | null;
  /** Why the next edition would be held in its present form. */
  findings: string[];
  /** The result of the last link check, in words; null if the links were not checked. */
  links: string | null;
  /** Links with problems. */
  wrong: { id: number; title: string; url: string | null; verdict: string; said: string }[];
  post: string;
}

/** null for editions without articles and for frozen editions that are not held. */
export async function checksBlock(
  app: App,
  of: Edition | ComingEdition,
  { path, language }: { path: string; language: string },
): Promise<ChecksBlock | null> {
  const frozen = "id" in of;
  if (frozen ? of.state !== "held" : of.articles.length === 0) return null;
  const { links, unasked } = await linksOf(app, of);
  const wrong = links.filter(({ verdict }) => verdict !== "fine");
  const last = links.map(({ checkedAt }) => checkedAt).toSorted((a, b) => b.getTime() - a.getTime())[0];
  const rest = unasked === 0 ? "" : ` ${count(unasked, "link")} not checked.`;
  const fine = links.length - wrong.length;
  return {
    reason: frozen ? editionReason(of) : null,
    findings: frozen ? [] : (await comingFindings(app, of)).map(findingInWords),
    links: last
      ? `Last checked on ${shortMoment(last, of.timezone, language)}. ${fine} of ${count(links.length, "link")} ` +
        `${fine === 1 ? "works" : "work"}.${rest}`
      : null,
    wrong: wrong.map(({ id, title, url, verdict, said }) => ({
      id,
      title,
      url: httpUrl(url),
      verdict,
      said: said ?? "",
    })),
    post: `${path}/check-links`,
  };
}
