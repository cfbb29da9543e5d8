/**
 * How a cell begins that a spreadsheet takes for a formula, after any apostrophes that guard it already; in East Asian
 * settings, the full-width signs too (OWASP, CSV Injection).
 */
const formula = /^'*[=+\-@\t\r\n＝＋－＠]/;

/** A cell that no spreadsheet runs; `unguardCell` takes the apostrophe off again. */
export function guardCell(text: string): string {
  return formula.test(text) ? `'${text}` : text;
}

export function unguardCell(text: string): string {
  return text.startsWith("'") && formula.test(text) ? text.slice(1) : text;
}
