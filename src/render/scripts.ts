/** Hebrew, Arabic, Syriac, Thaana, N'Ko and their neighbours, and the right-to-left mark. */
const rightToLeft = /[\u0590-\u08ff\u200f\ufb1d-\ufdff\ufe70-\ufefe\u{10800}-\u{10fff}\u{1e800}-\u{1efff}]/u;
const letter = /\p{L}/u;
const hangul = /[\u1100-\u11ff\u3130-\u318f\uac00-\ud7af]/;
/** Scripts whose lines break between any two characters. */
const unspaced = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Bopomofo}\u3000-\u303f\uff00-\uff65]/u;

/** Whether text in a language (BCP 47) goes from right to left. */
export function isRightToLeftLanguage(language: string): boolean {
  return /^(?:ar|dv|fa|he|ps|sd|ug|ur|yi)\b/i.test(language);
}

/** The direction of a text by its first letter, as `dir="auto"` decides it; the language's without a letter. */
export function isRightToLeft(text: string, language: string): boolean {
  const first = letter.exec(text)?.[0];
  return first === undefined ? isRightToLeftLanguage(language) : rightToLeft.test(first);
}

const isolateStart = "\u2068";
const isolateEnd = "\u2069";

/**
 * A name inside text of a language, between U+2068 and U+2069 if its direction could reorder what surrounds it. Names must be
 * clean (`oneLine`), so that no other text has these characters.
 */
export function isolate(name: string, language: string): string {
  return rightToLeft.test(name) || isRightToLeftLanguage(language) ? `${isolateStart}${name}${isolateEnd}` : name;
}

/** HTML with an element in place of these characters. */
export function isolatesToHtml(html: string): string {
  return html.includes(isolateStart) ? html.replaceAll(isolateStart, "<bdi>").replaceAll(isolateEnd, "</bdi>") : html;
}

/** The CSS `word-break` of a text: Korean breaks at spaces, Chinese and Japanese between characters. null for other scripts. */
export function wordBreak(text: string): "keep-all" | "normal" | null {
  if (hangul.test(text)) return "keep-all";
  return unspaced.test(text) ? "normal" : null;
}

/** Not at the start of a line (JIS X 4051, GB/T 15834): closing punctuation, small kana, repetition and sound marks. */
const neverFirst =
  /[、。，．・：；？！）〕］｝〉》」』】〙〗〟’”»…‥ーぁぃぅぇぉっゃゅょゎァィゥェォッャュョヮヵヶ々〻ゝゞヽヾ％,.!?:;)\]}%]|\p{M}|\u200d/u;
/** Not at the end of a line: opening punctuation. */
const neverLast = /[（〔［｛〈《「『【〘〖〝‘“«￥＄([{$\u200d]/u;

/** The parts of a word between which a line may break. A word of a spaced script is one part. */
export function breakable(word: string): string[] {
  if (!unspaced.test(word)) return [word];
  const parts: string[] = [];
  let part = "";
  let last = "";
  for (const char of word) {
    const breaks = last !== "" && (unspaced.test(char) || unspaced.test(last));
    if (breaks && !neverFirst.test(char) && !neverLast.test(last)) {
      parts.push(part);
      part = "";
    }
    part += char;
    last = char;
  }
  return [...parts, part];
}
