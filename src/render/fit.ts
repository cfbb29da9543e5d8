import type { Stencil, StencilArticle } from "./types.ts";

/** Gmail clips HTML at about 102 kB (of 1000 bytes). This leaves room for what a relay adds. */
export const htmlLimit = 90;

/**
 * The newest of a reader's positions that fit into one email: at most `maxArticles` and 90 kB of HTML, but at least one.
 * An edition keeps the number that it was rendered with, so that all its readers get the same selection.
 * `positions` are ascending, and 0 is the newest. `more` counts the rest, which are only on the web.
 */
export function fitPositions(
  stencil: Stencil,
  positions: number[],
  maxArticles: number,
): { positions: number[]; more: number } {
  let kb = stencil.kb;
  let kept = 0;
  for (const position of positions.slice(0, Math.max(1, stencil.maxArticles ?? maxArticles))) {
    const article = articleAt(stencil, position);
    kb += (kept === 0 ? article?.lead.kb : article?.rest.kb) ?? 0;
    if (kept > 0 && kb > htmlLimit) break;
    kept += 1;
  }
  return { positions: positions.slice(0, kept), more: positions.length - kept };
}

function articleAt(stencil: Stencil, position: number): StencilArticle | undefined {
  const direct = stencil.articles[position];
  return direct?.position === position ? direct : stencil.articles.find((article) => article.position === position);
}
