import type { Pattern } from "../../base/sentence.ts";
import type { Said } from "./translations.ts";

/** What an English text is in the language of the pages. */
export type Translate = (pattern: Pattern) => Said;

const marked = /\{% t(?: ([\w.]+))? %\}((?:(?!\{% t\b)[^])*?)\{% endt %\}/g;

/**
 * A Liquid template with its marked texts, `{% t %}Sign up{% endt %}`, in another language. It is done before Liquid reads the
 * template, so a page costs nothing more. A text may hold HTML and `{{ values }}`. Where a number decides, it is named and
 * there are two texts: `{% t tags.size %}this tag{% or %}these tags{% endt %}`; the filter `plural` then picks one.
 */
export function translateTemplate(source: string, translate: Translate): string {
  return source.replace(marked, (_whole, number: string | undefined, body: string) => {
    const [one, other] = body.split("{% or %}").map(oneLine) as [string, string?];
    if (number === undefined || other === undefined) return translate(one) as string;
    const forms = Object.entries(translate({ one, other }) as Record<string, string>);
    const cases = forms.map(([form, text]) => `{% when "${form}" %}${text}`).join("");
    return `{% assign plural = ${number} | plural %}{% case plural %}${cases}{% endcase %}`;
  });
}

const call = /\bt\(\s*("(?:[^"\\]|\\.)*")\s*(?:,\s*)?\)/g;

/** A script with its marked texts, `t("Sending…")`, in another language, as literals of ASCII. */
export function translateScript(source: string, translate: Translate): string {
  return source.replace(call, (_whole, literal: string) => asciiJson(translate(JSON.parse(literal) as string)));
}

/** JSON that reads the same whatever charset the page is in. */
export function asciiJson(value: unknown): string {
  return JSON.stringify(value).replace(
    /[^\x20-\x7e]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

function oneLine(text: string): string {
  return text.replace(/\s+/g, " ").trim();
}
