import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { packageRoot } from "../package-root.ts";

export const shippedTemplates: string = join(packageRoot, "templates/email");

/** Contains the hash of the templates that the build has checked, and the hash of the code that checked them. */
export const checkedFile: string = join(packageRoot, "dist/templates.checked");

/** Whether the build has checked exactly these templates. Compiling them takes a second. */
export function areChecked(folder: string): boolean {
  try {
    return readFileSync(checkedFile, "utf8").split(" ")[0] === hashFolder(folder);
  } catch {
    return false;
  }
}

/** A hash of the names and contents of all files in a folder. */
export function hashFolder(folder: string): string {
  const sum = createHash("sha256");
  for (const name of readdirSync(folder).toSorted()) sum.update(`${name}\0`).update(readFileSync(join(folder, name)));
  return sum.digest("hex");
}
