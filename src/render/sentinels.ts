import { randomBytes } from "node:crypto";

/**
 * Placeholders that stand for values while a template is rendered: ASCII letters and digits only, so that neither
 * Liquid nor MJML nor an attribute changes them, with a nonce, so that no text can contain one by accident or design.
 */
export interface Sentinels {
  /** The placeholder for a name such as `article.3.title`. */
  mark(name: string): string;
  /** The rendered template, cut at its placeholders. */
  split(rendered: string): Token[];
}

export type Token = { text: string } | { name: string };

export function createSentinels(): Sentinels {
  const nonce = randomBytes(12).toString("hex");
  const names: string[] = [];
  const pattern = new RegExp(`zq${nonce}n(\\d+)qz`);
  return {
    mark(name) {
      names.push(name);
      return `zq${nonce}n${names.length - 1}qz`;
    },
    split(rendered) {
      // With one capture group, every second part is the group: the number of a name.
      return rendered
        .split(pattern)
        .map((part, i) => (i % 2 === 0 ? { text: part } : { name: names[Number(part)] ?? "" }))
        .filter((token) => !("text" in token) || token.text !== "");
    },
  };
}
