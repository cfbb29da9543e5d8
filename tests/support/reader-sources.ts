import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { packageRoot } from "../../src/package-root.ts";

const templates = "templates/web";
/** Those of operators are in English; the outbox is seen on the server's own machine only. */
const forOperators = /^operator\/|^(outbox|mail)\.liquid$/;
const scripts = [
  "src/web/assets/forms.js",
  "src/web/assets/edition.js",
  "src/web/assets/proof.js",
  "src/web/embed/client.js",
];

export const readerTemplates = filesIn(templates, ".liquid")
  .filter((name) => !forOperators.test(name))
  .map((name) => ({ name, source: read(join(templates, name)) }));

export const readerScripts = scripts.map((name) => ({ name, source: read(name) }));

/** The code of the product, templates and scripts included, as one text. */
export function productSource(): string {
  return [
    ...filesIn("src", ".ts").map((name) => read(join("src", name))),
    ...filesIn("templates", ".liquid").map((name) => read(join("templates", name))),
    ...readerScripts.map(({ source }) => source),
  ].join("\n");
}

function filesIn(folder: string, ending: string): string[] {
  return readdirSync(join(packageRoot, folder), { recursive: true, encoding: "utf8" }).filter((name) =>
    name.endsWith(ending),
  );
}

function read(path: string): string {
  return readFileSync(join(packageRoot, path), "utf8");
}
