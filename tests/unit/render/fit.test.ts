import { describe, expect, test } from "vitest";
import { assembleHtml } from "../../../src/render/assemble.ts";
import { fitPositions } from "../../../src/render/fit.ts";
import { article, prepared, readerMail } from "./mail.ts";

const positions = Array.from({ length: 40 }, (_, i) => i);
const longLink = (word: string): string => `https://news.example/${word.repeat(300 / word.length)}`;

describe("how many articles a mail holds", () => {
  test.each([
    ["at most those allowed", 25, [0, 3, 5], { positions: [0, 3, 5], more: 0 }],
    ["the newest of them", 2, [0, 3, 5], { positions: [0, 3], more: 1 }],
    ["always one", 0, [3, 5], { positions: [3], more: 1 }],
    ["none of none", 25, [], { positions: [], more: 0 }],
  ])("%s", async (_, max, asked, wanted) => {
    const { stencil } = await prepared(positions.map((position) => article(position)));
    expect(fitPositions(stencil, asked, max)).toEqual(wanted);
  });

  test.each([
    ["Latin", "word ", "/a", 25],
    ["Korean with long links", "\ud55c\uad6d ", "/b", 10],
    ["ampersands", "&&&& ", "/&", 5],
  ])("stays under 90 kB with articles of the greatest length in %s", async (_, word, path, atLeast) => {
    const long = positions.map((position) =>
      article(position, {
        title: word.repeat(100),
        summary: word.repeat(200),
        tags: Array.from({ length: 12 }, () => word.repeat(12)),
        url: longLink(path),
        origin: { name: word.repeat(40), url: longLink(path) },
      }),
    );
    const edition = await prepared(long);
    const fit = fitPositions(edition.stencil, positions, 25);
    expect(fit.positions.length).toBeGreaterThanOrEqual(atLeast);
    expect(fit.positions).toEqual(positions.slice(0, fit.positions.length));
    expect(fit.more).toBe(40 - fit.positions.length);
    const link = `https://news.example/unsubscribe/${"t".repeat(250)}`;
    const html = assembleHtml(
      edition,
      readerMail(fit.positions, {
        more: fit.more,
        matchedTags: Array.from({ length: 60 }, () => word.repeat(8)),
        links: { preferences: link, unsubscribe: link, oneClick: link, mailto: null, moreUrl: link },
      }),
    );
    expect(Buffer.byteLength(html)).toBeLessThanOrEqual(90_000);
    expect(html).toContain("12 Press Street");
  });
});
