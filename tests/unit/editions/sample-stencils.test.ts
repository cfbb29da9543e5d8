import { mkdtempSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { packageRoot } from "../../../src/package-root.ts";
import { createSampleStencils, sampleOfArticles, type SampleStencils } from "../../../src/editions/sample.ts";
import { loadTemplates } from "../../../src/render/templates.ts";
import type { EditionArticle } from "../../../src/render/types.ts";
import { publication } from "../render/mail.ts";

let folder: string;
let compiles: number;
let failing: boolean;
let samples: SampleStencils;
const templates = await loadTemplates(join(packageRoot, "templates/email"));

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "dayletter-templates-"));
  writeFileSync(join(folder, "digest.mjml"), "");
  [compiles, failing] = [0, false];
  samples = createSampleStencils({
    publication,
    templateFolder: folder,
    async templates() {
      compiles += 1;
      if (failing) throw new Error("no");
      return templates;
    },
  });
});
afterEach(() => rmSync(folder, { recursive: true }));

const of = (title: string) => {
  const article: EditionArticle = {
    position: 0,
    title,
    url: "https://news.example/",
    summary: "",
    tags: [],
    origin: null,
    publishedAt: null,
  };
  return sampleOfArticles({ date: "2026-11-24", number: 1 }, [article], "/editions");
};

test("many who ask at once share one compile, and whoever comes later has it", async () => {
  const made = await Promise.all(Array.from({ length: 20 }, () => samples(of("One"))));
  expect(new Set(made).size).toBe(1);
  await samples(of("One"));
  expect(compiles).toBe(1);
});

test("other articles or a mended template make another; few are kept", async () => {
  await samples(of("One"));
  await samples(of("Two"));
  expect(compiles).toBe(2);
  utimesSync(join(folder, "digest.mjml"), 1, 1);
  await samples(of("Two"));
  expect(compiles).toBe(3);
  for (const title of ["Three", "Four", "Five", "Two"]) await samples(of(title));
  expect(compiles).toBe(6);
  await samples(of("One"));
  expect(compiles).toBe(7);
});

test("a failure is told to all who asked, and is not kept", async () => {
  failing = true;
  const asked = await Promise.allSettled([samples(of("One")), samples(of("One"))]);
  expect(asked.map(({ status }) => status)).toEqual(["rejected", "rejected"]);
  [failing, compiles] = [false, 0];
  await expect(samples(of("One"))).resolves.toBeDefined();
  expect(compiles).toBe(1);
});
