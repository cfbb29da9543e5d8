import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { Refusal, reasonOf } from "../base/errors.ts";
import { compileStencil } from "./compile.ts";
import type { EmailTemplates, Publication, TemplateFile } from "./types.ts";

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
  from: { name: "Trial", address: "news@news.example" },
  listId: "daily.news.example",
};
