import { oneLine } from "../base/text.ts";
import { escapeHtml, httpUrl, wrap } from "./plain.ts";
import { isRightToLeft, isRightToLeftLanguage, wordBreak } from "./scripts.ts";

/** A small part of Markdown: paragraphs, lists, emphasis and links. A line break starts a paragraph. HTML is text. */
export type Block = { paragraph: Inline[] } | { list: "ul" | "ol"; items: Inline[][] };
export type Inline = { text: string } | { strong: Inline[] } | { em: Inline[] } | { link: string; label: Inline[] };

export function parseMarkdown(source: string): Block[] {
  const blocks: Block[] = [];
  for (const raw of source.split(/[\n\r\u0085\u2028\u2029]+/)) {
    const line = oneLine(raw);
    if (line === "") continue;
    const [marker = ""] = /^(?:[-*+]|\d{1,3}[.)]) +(?=\S)/.exec(line) ?? [];
    if (marker === "") {
      blocks.push({ paragraph: parseInline(line) });
      continue;
    }
    const list = /^\d/.test(marker) ? "ol" : "ul";
    const item = parseInline(line.slice(marker.length));
    const last = blocks.at(-1);
    if (last && "list" in last && last.list === list) last.items.push(item);
    else blocks.push({ list, items: [item] });
  }
  return blocks;
}

const plain = /[^\\*_[]+/y;
const escaped = /\\([\\*_[\]()#+.!-])/y;
const link = /\[([^[\]]{1,300})\]\((https?:\/\/[^\s()]{1,2000})\)/y;
/** What is emphasised is short, so that an unpaired mark costs little. */
const strong = /\*\*(?=[^\s*])((?:[^*]|\*(?!\*)){0,500}?[^\s*]\*?)\*\*/y;
const em = /\*(?=[^\s*])([^*]{0,500}?[^\s*])\*(?!\*)/y;
const underscored = /_(?=[^\s_])([^_]{0,500}?[^\s_])_(?![\p{L}\p{N}])/uy;

function parseInline(line: string): Inline[] {
  const found: Inline[] = [];
  const say = (text: string): void => {
    const last = found.at(-1);
    if (last && "text" in last) last.text += text;
    else found.push({ text });
  };
  let at = 0;
  const match = (pattern: RegExp): RegExpExecArray | null => {
    pattern.lastIndex = at;
    return pattern.exec(line);
  };
  while (at < line.length) {
    const inWord = at > 0 && /[\p{L}\p{N}]/u.test(line[at - 1]!);
    let part: RegExpExecArray | null;
    if ((part = match(plain))) say(part[0]);
    else if ((part = match(escaped))) say(part[1]!);
    else if ((part = match(link)) && httpUrl(part[2]!) !== null) {
      found.push({ link: httpUrl(part[2]!)!, label: parseInline(part[1]!) });
    } else if ((part = match(strong))) found.push({ strong: parseInline(part[1]!) });
    else if ((part = match(em))) found.push({ em: parseInline(part[1]!) });
    else if (!inWord && (part = match(underscored))) found.push({ em: parseInline(part[1]!) });
    else say(line[at]!);
    at += part?.[0].length ?? 1;
  }
  return found;
}

/** Inline styles for a client without style sheets. */
export interface MarkdownStyle {
  block: string;
  list: string;
  link: string;
  /** Of the text around it. */
  language: string;
}

/** @param style for emails; pages have a style sheet */
export function markdownHtml(blocks: readonly Block[], style?: MarkdownStyle): string {
  const open = (tag: string, own: string | undefined, content: readonly Inline[] = []): string => {
    const styles =
      style === undefined ? "" : [own, ...contentStyles(content, style.language)].filter(Boolean).join(";");
    return `<${tag}${content.length > 0 ? ' dir="auto"' : ""}${styles === "" ? "" : ` style="${styles}"`}>`;
  };
  return blocks
    .map((block) => {
      if ("paragraph" in block)
        return `${open("p", style?.block, block.paragraph)}${inlineHtml(block.paragraph, style)}</p>`;
      const items = block.items.map((item) => `${open("li", undefined, item)}${inlineHtml(item, style)}</li>`);
      return `${open(block.list, style?.list)}${items.join("")}</${block.list}>`;
    })
    .join("");
}

function contentStyles(content: readonly Inline[], language: string): string[] {
  const text = inlineText(content);
  const right = isRightToLeft(text, language);
  const breaks = wordBreak(text);
  return [
    ...(right === isRightToLeftLanguage(language) ? [] : [`text-align:${right ? "right" : "left"}`]),
    ...(breaks === null ? [] : [`word-break:${breaks}`]),
  ];
}

function inlineHtml(parts: readonly Inline[], style: MarkdownStyle | undefined): string {
  return parts
    .map((part) => {
      if ("text" in part) return escapeHtml(part.text);
      if ("strong" in part) return `<strong>${inlineHtml(part.strong, style)}</strong>`;
      if ("em" in part) return `<em>${inlineHtml(part.em, style)}</em>`;
      const look = style === undefined ? ' rel="noopener"' : ` style="${style.link}"`;
      return `<a href="${escapeHtml(part.link)}"${look}>${inlineHtml(part.label, style)}</a>`;
    })
    .join("");
}

/** Lines of plain text, with an address after each link. */
export function markdownText(blocks: readonly Block[], columns: number): string {
  return blocks
    .map((block) => {
      if ("paragraph" in block) return wrap(inlineText(block.paragraph), columns);
      return block.items
        .map((item, i) => {
          const marker = block.list === "ul" ? "- " : `${i + 1}. `;
          return marker + wrap(inlineText(item), columns - marker.length, " ".repeat(marker.length));
        })
        .join("\n");
    })
    .join("\n\n");
}

function inlineText(parts: readonly Inline[]): string {
  return parts
    .map((part) => {
      if ("text" in part) return part.text;
      if ("strong" in part) return inlineText(part.strong);
      if ("em" in part) return inlineText(part.em);
      const label = inlineText(part.label);
      return label === part.link ? label : `${label} <${part.link}>`;
    })
    .join("");
}
