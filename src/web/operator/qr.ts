import { encode } from "uqr";

/** A QR code (ISO/IEC 18004) as an SVG path of dark unit squares, in a square of `size` units. */
export interface QrCode {
  size: number;
  path: string;
}

/** Width of the quiet zone in modules, required by the standard. Many cameras fail without it. */
const quiet = 4;

/** @param text such as an `otpauth:` link; up to about 2,000 characters fit */
export function qrCode(text: string): QrCode {
  const { data, size } = encode(text, { ecc: "M", border: quiet });
  const runs = data.flatMap((row, y) => runsOf(row).map(({ x, length }) => `M${x} ${y}h${length}v1h-${length}z`));
  return { size, path: runs.join("") };
}

/** Adjacent dark modules are merged, so that no hairlines appear between them. */
function runsOf(row: readonly boolean[]): { x: number; length: number }[] {
  const runs: { x: number; length: number }[] = [];
  row.forEach((dark, x) => {
    if (!dark) return;
    if (x > 0 && row[x - 1]) runs.at(-1)!.length += 1;
    else runs.push({ x, length: 1 });
  });
  return runs;
}
