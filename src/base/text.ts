const lineBreaksAndTabs = /[\t\n\v\f\r\u0085\u2028\u2029]+/g;
/** C0 and C1 controls, BOM, and the bidi embeddings, overrides and isolates that can reorder what surrounds them. */
// oxlint-disable-next-line no-control-regex -- removing control characters is the point
const unwanted = /[\u0000-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069\ufeff]/g;

/**
 * Any text as one line of well-formed Unicode: line breaks become spaces, controls and bidi overrides are removed, lone
 * surrogates become U+FFFD. Left-to-right marks and joiners stay, because real words need them.
 */
export function oneLine(text: string): string {
  return text
    .replace(lineBreaksAndTabs, " ")
    .replace(unwanted, "")
    .replace(/\p{Surrogate}/gu, "\ufffd")
    .replace(/ {2,}/g, " ")
    .trim();
}
