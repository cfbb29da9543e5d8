import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { Refusal, reasonOf } from "../base/errors.ts";
import { compileStencil } from "./compile.ts";
import type { EmailTemplates, Publication, TemplateFile } from "./types.ts";
import { packageRoot } from "../package-root.ts";

/**
 * Reads `digest.mjml` and `digest.txt` from a folder and compiles both for an edition and for a sample copy, so that a
 * broken template is found at start. Throws `Refusal` 422 with file, line and reason.
 */
export async function loadTemplates(dir: string): Promise<EmailTemplates> {
  const [html, text] = await Promise.all([readTemplate(dir, "digest.mjml"), readTemplate(dir, "digest.txt")]);
  const templates = { folder: dir, html, text };
  for (const mode of ["edition", "sample"] as const) {
    await compileStencil(templates, {
      publication: trial,
      edition: { date: "2013-12-05", number: 2 },
      articles: [],
      mode,
    });
  }
  return templates;
}

export async function readTemplate(dir: string, name: string): Promise<TemplateFile> {
  const path = join(dir, name);
  try {
    return { path, source: await readFile(path, "utf8") };
  } catch (error) {
    throw new Refusal(422, "template_unreadable", { file: path, reason: reasonOf(error) });
  }
}

/** The publication for test renderings. */
export const trial: Publication = {
  name: "Trial",
  publicUrl: "https://news.example/",
  postalAddress: "1 Press Street",
  language: "en",
  accentColour: "#8a2f1f",
  logo: { url: "https://news.example/logo.png", width: 96, height: 48 },
  pictures: "all",
  links: [
    { label: "Privacy policy", url: "https://news.example/privacy" },
    { label: "Legal notice", url: "https://news.example/imprint" },
  ],
  from: { name: "Trial", address: "news@news.example" },
  listId: "daily.news.example",
};

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
