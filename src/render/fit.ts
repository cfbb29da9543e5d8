import type { Stencil, StencilArticle } from "./types.ts";

/** Gmail cuts HTML off at about 102 kB (kB of 1000 bytes); this leaves room for what a relay may add. */
export const htmlLimit = 90;

/**
 * The newest of a reader's positions that one mail can hold: at most `maxArticles`, and HTML of at most 90 kB, but always
 * one. `positions` ascend, and 0 is the newest. `more` counts those that stay on the web.
 */
export function fitPositions(
  stencil: Stencil,
  positions: number[],
  maxArticles: number,
): { positions: number[]; more: number } {
  let kb = stencil.kb;
  let kept = 0;
  for (const position of positions.slice(0, Math.max(1, maxArticles))) {
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
