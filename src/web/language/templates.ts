import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { packageRoot } from "../../base/root.ts";
import { translateTemplate, type Translate } from "./marks.ts";

const folder = join(packageRoot, "templates/web");
const ending = ".liquid";

/** The sources of templates/web, translated, by name: `front`, `operator/today`. */
export function readTemplates(translate: Translate): Record<string, string> {
  const files = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((file) => file.endsWith(ending));
  return Object.fromEntries(
    files.map((file) => [
      file.slice(0, -ending.length).replaceAll("\\", "/"),
      translateTemplate(readFileSync(join(folder, file), "utf8"), translate),
    ]),
  );
}
