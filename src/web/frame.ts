import { escapeHtml } from "../render/plain.ts";

/** Puts a page into what surrounds all readers' pages. `content` is HTML, `title` a text. */
export type Frame = (title: string, content: string) => string;

/** Of a private use area, so that no template has them. */
const titleMark = "\uE000";
const contentMark = "\uE001";

/**
 * Renders the surroundings once: they are the same on every page but for the title, and a third of what the template engine
 * would have to do for each.
 * @param render templates/web/layout.liquid, which shows `title` and `content` once each, in this order
 */
export function makeFrame(publication: string, render: (values: { title: string; content: string }) => string): Frame {
  const pieces = render({ title: titleMark, content: contentMark }).split(new RegExp(`${titleMark}|${contentMark}`));
  const [head, middle, tail] = pieces as [string, string, string];
  return (title, content) => {
    const shown = title === publication ? title : `${title} - ${publication}`;
    return `${head}${escapeHtml(shown)}${middle}${content}${tail}`;
  };
}
