import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "vitest";
import { packageRoot } from "../../src/package-root.ts";

/**
 * That a document says what the code says, between marks of the form `<!-- name -->`, or `# <name>` in YAML and env files;
 * with UPDATE_DOCS=1 it is written so.
 * @param path from the root of the project
 * @param parts what stands between the marks, by their name
 * @param command how to write it
 */
export function expectWritten(path: string, parts: Record<string, string>, command: string): void {
  const file = join(packageRoot, path);
  const present = readFileSync(file, "utf8");
  let written = present;
  for (const [name, content] of Object.entries(parts)) {
    const marks = path.endsWith(".md")
      ? new RegExp(`(<!-- ${name} -->\n\n).*?(\n\n<!-- /${name} -->)`, "s")
      : new RegExp(`(# <${name}>[^\n]*\n).*?(\n *# </${name}>)`, "s");
    expect(written).toMatch(marks);
    written = written.replace(marks, (_whole, begin: string, end: string) => `${begin}${content}${end}`);
  }
  if (process.env["UPDATE_DOCS"] === "1") writeFileSync(file, written);
  else expect(present, `${path} is behind the code; run: ${command}`).toBe(written);
}
