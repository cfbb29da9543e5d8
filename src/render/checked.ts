import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { packageRoot } from "../package-root.ts";

export const shippedTemplates: string = join(packageRoot, "templates/email");

/** The hash of the templates that the build has checked, then that of the code which did it. */
export const checkedFile: string = join(packageRoot, "dist/templates.checked");

/** Whether a folder's templates are, to the byte, those that the build has checked: to compile them takes a second. */
export function areChecked(folder: string): boolean {
  try {
    return readFileSync(checkedFile, "utf8").split(" ")[0] === hashFolder(folder);
  } catch {
    return false;
  }
}

/** Of the names and contents of all files in a folder. */
export function hashFolder(folder: string): string {
  const sum = createHash("sha256");
  for (const name of readdirSync(folder).toSorted()) sum.update(`${name}\0`).update(readFileSync(join(folder, name)));
  return sum.digest("hex");
}
