import { randomBytes } from "node:crypto";

/**
 * Placeholders that stand for values while a template is rendered: ASCII letters and digits only, so that neither
 * Liquid nor MJML nor an attribute changes them, with a nonce, so that no text can contain one.
 */
export interface Sentinels {
  /** The placeholder for a name such as `article.3.title`. */
  mark(name: string): string;
  /** Splits the rendered template at its placeholders. */
  split(rendered: string): Token[];
}

export type Token = { text: string } | { name: string };

export function createSentinels(): Sentinels {
  const nonce = randomBytes(12).toString("hex");
  const names: string[] = [];
  const start = `zq${nonce}n`;
  const end = "qz";
  return {
    mark(name) {
      names.push(name);
      return `${start}${names.length - 1}${end}`;
    },
    split(rendered) {
      const [before = "", ...rest] = rendered.split(start);
      const tokens = rest.flatMap((part): Token[] => {
        const at = part.indexOf(end);
        return [{ name: names[Number(part.slice(0, at))] ?? "" }, { text: part.slice(at + end.length) }];
      });
      return [{ text: before }, ...tokens].filter((token) => !("text" in token) || token.text !== "");
    },
  };
}
