import { escapeHtml } from "../render/plain.ts";

/** A tag with its box; see `Offer`. */
interface Box {
  name: string;
  count: number;
  chosen: boolean;
}

/**
 * The boxes of a form's tags as HTML, for the filter `boxes`. They are most of what a page with a form holds, and
 * not worth the template engine's time.
 */
export function tagBoxes(boxes: readonly Box[]): string {
  return boxes.map(box).join("\n");
}

function box({ name, count, chosen }: Box): string {
  const shown = escapeHtml(name);
  return (
    `<label class="choice"><input type="checkbox" name="tags" value="${shown}"${chosen ? " checked" : ""}> ` +
    `<span>${shown}</span>${count > 0 ? ` <span class="count">${count}</span>` : ""}</label>`
  );
}
