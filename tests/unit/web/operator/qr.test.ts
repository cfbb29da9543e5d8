import { expect, test } from "vitest";
import { qrCode } from "../../../../src/web/operator/account.ts";

const uri = "otpauth://totp/Telecom%20Daily:Ada?secret=JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP&issuer=Telecom%20Daily";

/** The picture as rows of modules. */
function modules({ size, path }: { size: number; path: string }): string[] {
  const grid = Array.from({ length: size }, () => Array<string>(size).fill("."));
  for (const [, x, y, length] of path.matchAll(/M(\d+) (\d+)h(\d+)v1h-\d+z/g)) {
    for (let i = 0; i < Number(length); i++) grid[Number(y)]![Number(x) + i] = "#";
  }
  return grid.map((row) => row.join(""));
}

test("a QR code has three finders and a quiet zone of four modules on every side", () => {
  const rows = modules(qrCode(uri));
  const finder = ["#######", "#.....#", "#.###.#", "#.###.#", "#.###.#", "#.....#", "#######"];
  const cut = (x: number, y: number): string[] => rows.slice(y, y + 7).map((row) => row.slice(x, x + 7));
  const far = rows.length - 4 - 7;
  for (const [x, y] of [
    [4, 4],
    [far, 4],
    [4, far],
  ] as const) {
    expect(cut(x, y)).toEqual(finder);
  }
  const edge = [...rows.slice(0, 4), ...rows.slice(-4), ...rows.flatMap((row) => [row.slice(0, 4), row.slice(-4)])];
  expect(edge.join("")).not.toContain("#");
});
