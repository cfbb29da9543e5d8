import { parseReply } from "./verdict.ts";

/** The codes and the words of a bounce in one line, each code once, because the words may begin with codes; null without either. */
export function diagnosticOf({ code, text }: { code: string | null; text: string | null }): string | null {
  const said = parseReply(text ?? "");
  const repeated = new Set([String(said.code), said.enhanced]);
  const codes = (code ?? "").split(/\s+/).filter((one) => !repeated.has(one));
  return [...codes, text].filter((part) => part).join(" ") || null;
}
