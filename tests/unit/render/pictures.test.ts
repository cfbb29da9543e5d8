import { describe, expect, test } from "vitest";
import { assembleHtml, assembleText } from "../../../src/render/assemble.ts";
import { fitPositions, htmlLimit } from "../../../src/render/fit.ts";
import type { Publication } from "../../../src/render/types.ts";
import { article, prepared, readerMail } from "./mail.ts";

const picture = { url: "https://a.example/i.jpg?a=1&b=2", alt: "A mast", width: 1200, height: 800 };
const two = [article(0, { picture }), article(1, { picture: { ...picture, alt: "", width: null, height: null } })];

async function images(pictures: Publication["pictures"], positions = [0, 1]): Promise<Record<string, string>[]> {
  const html = assembleHtml(await prepared(two, { publication: { pictures } }), readerMail(positions));
  return [...html.matchAll(/<img([^>]*)>/g)].map(([, attributes = ""]) =>
    Object.fromEntries(
      [...attributes.matchAll(/ ([a-z]+)="([^"]*)"/g)].map(([, name = "", value = ""]) => [name, value]),
    ),
  );
}

describe("the picture of an article", () => {
  test("is not in emails unless the publication wants it", async () => {
    expect(await images("off")).toEqual([]);
  });

  test("is above the lead only, whichever article that is, or above all", async () => {
    expect((await images("lead")).map(({ alt }) => alt)).toEqual(["A mast"]);
    expect((await images("lead", [1])).map(({ alt }) => alt)).toEqual(["Headline 1"]);
    expect((await images("all")).map(({ alt }) => alt)).toEqual(["A mast", "Headline 1"]);
  });

  test("has a width that Outlook obeys, the shape of the picture, and never overflows a phone", async () => {
    const [first, second] = await images("all");
    expect(first).toMatchObject({ src: "https://a.example/i.jpg?a=1&amp;b=2", width: "608", height: "405" });
    expect(first?.["style"]).toMatch(/max-width:608px.*height:auto/);
    expect(second).toMatchObject({ width: "304" });
    expect(second).not.toHaveProperty("height");
  });

  test("is not enlarged", async () => {
    const small = [article(0, { picture: { ...picture, width: 200, height: 100 } })];
    const html = assembleHtml(await prepared(small, { publication: { pictures: "lead" } }), readerMail([0]));
    expect(html).toMatch(/<img[^>]* width="200" height="100"/);
  });

  test.each(["http://a.example/i.jpg", "javascript:alert(1)", "data:image/png;base64,AA"])(
    "is not shown from %s",
    async (url) => {
      const edition = await prepared([article(0, { picture: { ...picture, url } })], {
        publication: { pictures: "all" },
      });
      expect(assembleHtml(edition, readerMail([0]))).not.toContain("<img");
    },
  );

  test("is inert whatever its text says, and leaves the text part alone", async () => {
    const alt = '"><script>alert(1)</script>';
    const hostile = [article(0, { picture: { ...picture, alt } })];
    const edition = await prepared(hostile, { publication: { pictures: "all" } });
    expect(assembleHtml(edition, readerMail([0]))).not.toContain("<script");
    expect(assembleText(edition, readerMail([0]))).not.toContain("a.example/i.jpg");
  });

  test("counts towards the 90 kB of an email", async () => {
    const url = `https://a.example/${"x".repeat(1500)}`;
    const many = Array.from({ length: 40 }, (_, i) =>
      article(i, { picture: { ...picture, url }, summary: "word ".repeat(100) }),
    );
    const edition = await prepared(many, { publication: { pictures: "all" } });
    const fitted = fitPositions(
      edition.stencil,
      many.map(({ position }) => position),
      40,
    );
    expect(fitted.more).toBeGreaterThan(0);
    const html = assembleHtml(edition, readerMail(fitted.positions, { more: fitted.more }));
    expect(Buffer.byteLength(html)).toBeLessThanOrEqual(htmlLimit * 1000);
  });
});
