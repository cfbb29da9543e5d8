/** A reply code and an enhanced status code (RFC 3463) of an error, each null without one. */
export interface Codes {
  reply: string | null;
  enhanced: string | null;
}

export const noCodes: Codes = { reply: null, enhanced: null };

/** The codes in a server's words. */
export function codesOf(text: string): Codes {
  return {
    reply: /(?:^|[\s:;])([45]\d\d)(?=[\s:-]|$)/.exec(text)?.[1] ?? null,
    enhanced: /(?:^|[\s#(:-])([45]\.\d{1,3}\.\d{1,3})(?=[\s):;,-]|$)/.exec(text)?.[1] ?? null,
  };
}

/** As a report has them: the codes in one text, and the words on one line. */
export function codeAndText(
  reply: string | null,
  enhanced: string | null,
  said: string,
): { code: string | null; text: string | null } {
  const code = [reply, enhanced].filter((one) => one !== null).join(" ");
  const text = said.replace(/\s+/g, " ").trim();
  return { code: code || null, text: text || null };
}
