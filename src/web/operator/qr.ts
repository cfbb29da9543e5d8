import { encode } from "uqr";

/** A QR code (ISO/IEC 18004) to be drawn: one path of dark modules, each a unit square, in a square of `size` units. */
export interface QrCode {
  size: number;
  path: string;
}

/** The quiet zone that the standard asks for, in modules; without it many cameras find nothing. */
const quiet = 4;

/** @param text such as an `otpauth:` link; any that fits into a code, which 2,000 letters do */
export function qrCode(text: string): QrCode {
  const { data, size } = encode(text, { ecc: "M", border: quiet });
  const runs = data.flatMap((row, y) => runsOf(row).map(({ x, length }) => `M${x} ${y}h${length}v1h-${length}z`));
  return { size, path: runs.join("") };
}

/** Dark modules side by side are one piece, so that no hairline shows between them. */
function runsOf(row: readonly boolean[]): { x: number; length: number }[] {
  const runs: { x: number; length: number }[] = [];
  row.forEach((dark, x) => {
    if (!dark) return;
    if (x > 0 && row[x - 1]) runs.at(-1)!.length += 1;
    else runs.push({ x, length: 1 });
  });
  return runs;
}
