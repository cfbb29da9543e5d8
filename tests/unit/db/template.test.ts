import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { packFolder, unpackFolder } from "../../../src/db/template.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "dayletter-template-"));
  for (const name of ["from/empty/below", "from/full", "to"]) mkdirSync(join(folder, name), { recursive: true });
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

test("a folder comes back with its empty folders, its equal files and the zeros at their ends, for its owner alone", async () => {
  const log = Buffer.concat([Buffer.from("log"), Buffer.alloc(16_000_000)]);
  const files = {
    "full/a": Buffer.from("same"),
    "full/b": Buffer.from("same"),
    log,
    zero: Buffer.alloc(8),
    none: Buffer.alloc(0),
  };
  for (const [path, bytes] of Object.entries(files)) writeFileSync(join(folder, "from", path), bytes);
  const packed = packFolder(join(folder, "from"));
  expect(packed.length).toBeLessThan(1_000);
  await unpackFolder(packed, join(folder, "to"));
  const names = (dir: string) => readdirSync(join(folder, dir), { recursive: true, encoding: "utf8" }).toSorted();
  expect(names("to")).toEqual(names("from"));
  for (const [path, bytes] of Object.entries(files)) {
    expect(readFileSync(join(folder, "to", path)).equals(bytes)).toBe(true);
    expect(statSync(join(folder, "to", path)).mode & 0o777).toBe(0o600);
  }
});

test("a damaged pack is refused before anything is written", async () => {
  writeFileSync(join(folder, "from/full/a"), "content");
  const packed = packFolder(join(folder, "from"));
  await expect(unpackFolder(packed.subarray(0, -5), join(folder, "to"))).rejects.toThrow();
  expect(readdirSync(join(folder, "to"))).toEqual([]);
});
