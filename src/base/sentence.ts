/** What stands in the place of `{names}`. */
export type Values = Readonly<Record<string, string | number>>;

/** English text, with `{names}` to be filled in; where a number decides, its two forms, and the number is `n`. */
export type Pattern = string | { readonly one: string; readonly other: string };

/** A sentence that may be said in other languages than English, as they have it; see templates/languages. */
export interface Sentence {
  readonly pattern: Pattern;
  readonly values: Values;
}

export function sentence(pattern: Pattern, values: Values = {}): Sentence {
  return { pattern, values };
}

/** As developers read it, in the API and on the command line. */
export function inEnglish({ pattern, values }: Sentence): string {
  const form = typeof pattern === "string" ? pattern : pattern[values["n"] === 1 ? "one" : "other"];
  return fill(form, values);
}

/** Puts values in the place of `{names}`. Values are not looked at again, whatever they contain. */
export function fill(pattern: string, values: Values): string {
  return pattern.replace(/\{(\w+)\}/g, (whole, name: string) => String(values[name] ?? whole));
}
