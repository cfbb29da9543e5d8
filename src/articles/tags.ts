import { oneLine } from "../base/text.ts";

/** Graphemes and UTF-16 units of a tag's name. */
const longestTag = { graphemes: 60, units: 120 };
/** UTF-16 units before cleaning. Unicode normalisation takes quadratic time for runs of combining marks. */
const longestRaw = 20 * longestTag.units;
const mostTags = 30;

/** Zero-width space, soft hyphen and bidi marks. Not the joiners, which scripts and emoji need. */
const invisible = /[\u00ad\u061c\u180e\u200b\u200e\u200f\u2060]/g;
const graphemes = new Intl.Segmenter(undefined, { granularity: "grapheme" });

/**
 * The stored form of a tag's name: any script and symbol, NFC, one space between words, no control, bidi or
 * invisible characters. null for an empty one, or one longer than 60 graphemes or 120 UTF-16 units.
 */
export function cleanTag(raw: string): string | null {
  if (raw.length > longestRaw) return null;
  const name = oneLine(raw.replace(invisible, "").replace(/\s+/g, " ")).normalize("NFC");
  if (!/[^\s\u200c\u200d]/.test(name) || name.length > longestTag.units) return null;
  if (name.length <= longestTag.graphemes) return name;
  return [...graphemes.segment(name)].length > longestTag.graphemes ? null : name;
}

/**
 * Two names with the same key are one tag: NFKC and case folding. `LG U+` is `lg u+`, is `ＬＧ U＋` in full width, and is not
 * `lg u`; `STRASSE` is `straße`. This is Unicode's full case folding (Unicode §5.18) by way of upper case, letter by letter;
 * Turkish dotless i stays itself, as there. A text that is too long for a tag is returned as it is.
 */
export function tagKey(name: string): string {
  if (name.length > longestRaw) return name;
  return Array.from(name.normalize("NFKC"), foldLetter).join("").normalize("NFKC");
}

/** Letters whose stroke or ligature is not a combining mark. */
const plainLetters: Readonly<Record<string, string | undefined>> = Object.fromEntries(
  Object.entries({ ł: "l", ø: "o", đ: "d", ð: "d", þ: "th", æ: "ae", œ: "oe", ı: "i", ħ: "h", ŧ: "t" }),
);

/**
 * What a search compares: the key without the accents of Latin, Greek and Cyrillic letters, so that `telefonica` finds
 * `Telefónica`. Marks of other scripts stay, because they make other letters.
 */
export function searchKey(name: string): string {
  const bare = tagKey(name)
    .normalize("NFD")
    .replace(/[\u0300-\u036f]/g, "")
    .normalize("NFC");
  return bare.replace(/[łøđðþæœıħŧ]/g, (letter) => plainLetters[letter]!);
}

/** Lower case first, for the capital ß, which is its own upper case. */
function foldLetter(letter: string): string {
  return letter === "ı" ? letter : letter.toLowerCase().toUpperCase().toLowerCase();
}

/** Cleaned tags, each once in its first spelling, at most `most`. */
export function cleanTags(raws: readonly string[], most: number = mostTags): string[] {
  const byKey = new Map<string, string>();
  for (const raw of raws) {
    const name = cleanTag(raw);
    if (name === null) continue;
    const key = tagKey(name);
    if (!byKey.has(key)) byKey.set(key, name);
    if (byKey.size >= most) break;
  }
  return [...byKey.values()];
}
