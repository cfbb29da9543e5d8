import fc from "fast-check";
import { simpleParser } from "mailparser";
import { expect, test } from "vitest";
import { assemble } from "../../../src/render/assemble.ts";
import { cleanArticle } from "../../../src/render/articles.ts";
import type { EditionArticle } from "../../../src/render/types.ts";
import { article, prepared, readerMail } from "./mail.ts";
import { expectWireSafe, headlines } from "./wire.ts";

const unit16 = fc.integer({ min: 0, max: 0xffff }).map((unit) => String.fromCharCode(unit));
const text = fc.oneof(
  fc.string({ unit: "grapheme", maxLength: 400 }),
  fc.string({ unit: "binary", maxLength: 400 }),
  fc.string({ unit: unit16, maxLength: 200 }),
);
const fields = fc.record({
  title: text,
  summary: text,
  tags: fc.array(text, { maxLength: 4 }),
  url: fc.webUrl({ withQueryParameters: true, withFragments: true }),
  origin: fc.option(fc.record({ name: text, url: fc.option(fc.webUrl()) })),
});

test("any articles, any of them, come back from a mail reader in order, with their titles and links", async () => {
  const editions = fc.array(fields, { minLength: 1, maxLength: 12 }).chain((all) =>
    fc.record({
      articles: fc.constant(all.map((more, i): EditionArticle => article(i, more))),
      positions: fc.subarray([...all.keys()], { minLength: 1 }),
      tags: fc.array(text, { maxLength: 5 }),
    }),
  );
  await fc.assert(
    fc.asyncProperty(editions, async ({ articles, positions, tags }) => {
      const edition = await prepared(articles);
      const message = assemble(edition, readerMail(positions, { matchedTags: tags }));
      expectWireSafe(message);
      const parsed = await simpleParser(message);
      const wanted = positions.map((position) =>
        cleanArticle(articles[position] as EditionArticle, "https://none.example/"),
      );
      expect(headlines(String(parsed.html))).toEqual(wanted.map(({ title, url }) => ({ title, url })));
      const [, ...parts] = (parsed.text ?? "").split(`\n${"-".repeat(72)}\n\n`);
      const shown = parts.slice(0, wanted.length).map((part) => part.split("\n\n")[0]?.replace(/\s/g, ""));
      expect(shown).toEqual(wanted.map(({ title, url }) => `${title}${url}`.replace(/\s/g, "")));
    }),
    { numRuns: 25 },
  );
}, 60_000);
