import { stringify } from "csv-stringify/sync";

/**
 * How a cell begins that a spreadsheet takes for a formula, after any apostrophes that guard it already; in East Asian
 * settings, the full-width signs too (OWASP, CSV Injection).
 */
const atStart = /^([ "]*)('*)(?=[=+\-@\t\r\n＝＋－＠])/;
/** A spreadsheet may split a cell at these, whatever the quotes say, and look at each part as a cell of its own. */
const inside = /([;\t\r\n][ "]*)('*)(?=[=+\-@＝＋－＠])/g;

/** Lines of CSV for a spreadsheet: every cell is quoted, and none of them is run (OWASP ASVS 5.0, 1.2.10). */
export function csvLines(rows: readonly (readonly (string | number)[])[]): string {
  const cells = rows.map((row) => row.map((cell) => guardCell(String(cell))));
  return stringify(cells, { quoted: true, quoted_empty: true });
}

/** A cell of which no spreadsheet runs any part; `unguardCell` takes the apostrophes off again. */
export function guardCell(text: string): string {
  return text.replace(inside, "$1'$2").replace(atStart, "$1'$2");
}

export function unguardCell(text: string): string {
  const shorten = (whole: string, before: string, apostrophes: string): string =>
    apostrophes === "" ? whole : before + apostrophes.slice(1);
  return text.replace(inside, shorten).replace(atStart, shorten);
}
