/**
 * WHATWG encodings that Node's TextDecoder does not support fully: it reads windows-1252 as Latin-1 (Node 20), EUC-KR
 * without the 8,822 syllables of the extension (cp949), and does not support ISO-8859-16.
 */

/** The windows-1252 characters for U+0080 to U+009F. Five are undefined and stay. */
const c1 = "€\u0081‚ƒ„…†‡ˆ‰Š‹Œ\u008dŽ\u008f\u0090‘’“”•–—˜™š›œ\u009džŸ";

export function decodeWindows1252(bytes: Uint8Array): string {
  const text = new TextDecoder("windows-1252").decode(bytes);
  // oxlint-disable-next-line no-control-regex -- the C1 range is what it maps
  return text.replace(/[\u0080-\u009f]/g, (char) => c1[char.charCodeAt(0) - 0x80] ?? char);
}

const latin10 =
  "\u00a0ĄąŁ€„Š§š©Ș«Ź\u00adźŻ°±ČłŽ”¶·žčș»ŒœŸżÀÁÂĂÄĆÆÇÈÉÊËÌÍÎÏĐŃÒÓÔŐÖŚŰÙÚÛÜĘȚßàáâăäćæçèéêëìíîïđńòóôőöśűùúûüęțÿ";

export function decodeLatin10(bytes: Uint8Array): string {
  const text = new TextDecoder("windows-1252").decode(bytes);
  return text.replace(/[\u00a0-\u00ff]/g, (char) => latin10[char.charCodeAt(0) - 0xa0] ?? char);
}

/**
 * EUC-KR as Korean sites write it. The extension has the syllables that are missing in KS X 1001, in Unicode order, in
 * the unused cells of KS X 1001. With `fatal`, throws a TypeError on invalid bytes.
 */
export function decodeEucKr(bytes: Uint8Array, options: { fatal: boolean }): string {
  const decoder = new TextDecoder("euc-kr", options);
  let text = "";
  let from = 0;
  for (let at = 0; at < bytes.length; at++) {
    const lead = bytes[at] ?? 0;
    if (lead < 0x81 || lead === 0xff) continue;
    const extra = extension().get((lead << 8) | (bytes[at + 1] ?? 0));
    if (extra !== undefined) {
      text += decoder.decode(bytes.subarray(from, at)) + extra;
      from = at + 2;
    }
    at += 1;
  }
  return text + decoder.decode(bytes.subarray(from));
}

let extensionCells: Map<number, string> | undefined;

function extension(): Map<number, string> {
  extensionCells ??= new Map(zip(freeCells(), missingSyllables()));
  return extensionCells;
}

function freeCells(): number[] {
  const cells: number[] = [];
  for (let lead = 0x81; lead <= 0xc6; lead++) {
    for (let trail = 0x41; trail <= (lead < 0xa1 ? 0xfe : 0xa0); trail++) {
      const letter = trail <= 0x5a || (trail >= 0x61 && trail <= 0x7a) || trail >= 0x81;
      if (letter) cells.push((lead << 8) | trail);
    }
  }
  return cells;
}

function missingSyllables(): string[] {
  const cells: number[] = [];
  for (let lead = 0xb0; lead <= 0xc8; lead++) for (let trail = 0xa1; trail <= 0xfe; trail++) cells.push(lead, trail);
  const present = new Set(new TextDecoder("euc-kr").decode(Uint8Array.from(cells)));
  const all = Array.from({ length: 0xd7a4 - 0xac00 }, (_, offset) => String.fromCharCode(0xac00 + offset));
  return all.filter((syllable) => !present.has(syllable));
}

function zip(cells: readonly number[], syllables: readonly string[]): [number, string][] {
  return syllables.map((syllable, index) => [cells[index] ?? 0, syllable]);
}
