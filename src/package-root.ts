import { existsSync } from "node:fs";
import { dirname, join } from "node:path";

/** The folder of package.json: templates, migrations and assets are found from here, in a clone as in a build. */
export const packageRoot: string = findRoot(import.meta.dirname);

function findRoot(from: string): string {
  if (existsSync(join(from, "package.json"))) return from;
  const parent = dirname(from);
  if (parent === from) throw new Error(`No package.json above ${import.meta.dirname}.`);
  return findRoot(parent);
}
