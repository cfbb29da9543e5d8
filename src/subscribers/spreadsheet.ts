import { stringify } from "csv-stringify/sync";

/**
 * The start of a cell that a spreadsheet would run as a formula, after apostrophes that already guard it. East Asian
 * versions accept full-width signs too (OWASP, CSV Injection).
 */
const atStart = /^([ "]*)('*)(?=[=+\-@\t\r\n＝＋－＠])/;
/** A spreadsheet may split a quoted cell at these characters and treat each part as a cell. */
const inside = /([;\t\r\n][ "]*)('*)(?=[=+\-@＝＋－＠])/g;

/** CSV lines for a spreadsheet. All cells are quoted and guarded against formulas (OWASP ASVS 5.0, 1.2.10). */
export function csvLines(rows: readonly (readonly (string | number)[])[]): string {
  const cells = rows.map((row) => row.map((cell) => guardCell(String(cell))));
  return stringify(cells, { quoted: true, quoted_empty: true });
}

/** Prefixes an apostrophe where a spreadsheet would run a formula; `unguardCell` removes it. */
export function guardCell(text: string): string {
  return text.replace(inside, "$1'$2").replace(atStart, "$1'$2");
}

export function unguardCell(text: string): string {
  const shorten = (whole: string, before: string, apostrophes: string): string =>
    apostrophes === "" ? whole : before + apostrophes.slice(1);
  return text.replace(inside, shorten).replace(atStart, shorten);
}
