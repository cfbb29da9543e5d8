import { describe, expect, test } from "vitest";
import { fitWithin, lookAtPicture } from "../../../src/config/logo.ts";

const hex = (text: string): Buffer => Buffer.from(text.replaceAll(" ", ""), "hex");
const svg = (inner: string, attributes = 'viewBox="0 0 240 40"'): Buffer =>
  Buffer.from(
    `<?xml version="1.0"?>\n<!-- a logo -->\n<svg xmlns="http://www.w3.org/2000/svg" ${attributes}>${inner}</svg>`,
  );

const pictures: [string, Buffer, string, number, number][] = [
  ["PNG", hex("89504e470d0a1a0a 0000000d 49484452 00000140 00000050 08060000 00"), "image/png", 320, 80],
  ["JPEG", hex("ffd8 ffe00004 0000 ffc4 0003 00 ffc0 0011 08 0050 0140 03 000000 000000"), "image/jpeg", 320, 80],
  ["WebP, lossy", webp("VP8 ", "000000 9d012a 4001 5000 0000"), "image/webp", 320, 80],
  ["WebP, lossless", webp("VP8L", "2f 3fc11300 0000 0000 0000"), "image/webp", 320, 80],
  ["WebP, extended", webp("VP8X", "10000000 3f0100 4f0000"), "image/webp", 320, 80],
  ["SVG with a viewBox", svg("<path d='M0 0h1'/>"), "image/svg+xml", 240, 40],
  ["SVG with a size", svg("", 'width="120px" height="60"'), "image/svg+xml", 120, 60],
];

function webp(chunk: string, data: string): Buffer {
  return Buffer.concat([Buffer.from("RIFF\0\0\0\0WEBP"), Buffer.from(chunk), hex("00000000"), hex(data)]);
}

test.each(pictures)("%s is known by its content, with its size", (_, bytes, type, width, height) => {
  expect(lookAtPicture(bytes)).toMatchObject({ type, width, height });
});

describe("a file that cannot be a logo is refused", () => {
  test.each<[string, Buffer, string, string?]>([
    ["a text", Buffer.from("<html><svg></svg></html>"), "logo_type"],
    ["nothing", Buffer.alloc(0), "logo_type"],
    ["a cut JPEG", hex("ffd8ffe0"), "logo_type"],
    ["a PNG without width", hex("89504e470d0a1a0a 0000000d 49484452 00000000 00000050 0806"), "logo_dimensions"],
    ["an SVG without a size", svg("", ""), "logo_svg_size"],
    ["a script", svg("<script>alert(1)</script>"), "logo_svg_active", "script"],
    ["a script with a prefix", svg("<s:script/>"), "logo_svg_active", "script"],
    ["a handler", svg("<g onload='x()'/>"), "logo_svg_active", "handler"],
    ["a link with a script", svg("<a href='JavaScript:x()'/>"), "logo_svg_active", "link"],
    ["HTML", svg("<foreignObject/>"), "logo_svg_active", "html"],
    ["a picture from elsewhere", svg("<image href='https://example.com/x.png'/>"), "logo_svg_active", "file"],
    ["a style from elsewhere", svg("<style>@import 'x.css'</style>"), "logo_svg_active", "file"],
  ])("%s", (_, bytes, code, part) => {
    const details = part === undefined ? {} : { part };
    const refusal: unknown = expect.objectContaining({ code, details: expect.objectContaining(details) as unknown });
    expect(() => lookAtPicture(bytes)).toThrow(refusal);
  });

  test("but not a plain reference within the file", () => {
    const drawing =
      "<linearGradient id='g'/><path fill='url(#g)'/><use href='#p'/><image href='data:image/png;base64,AA'/>";
    expect(lookAtPicture(svg(drawing)).type).toBe("image/svg+xml");
  });
});

test("a picture keeps its proportions within a box; only a drawing grows", () => {
  const box = { width: 240, height: 40 };
  const png = { type: "image/png", ending: "png" } as const;
  expect(fitWithin({ ...png, width: 480, height: 60 }, box)).toEqual({ width: 240, height: 30 });
  expect(fitWithin({ ...png, width: 20, height: 20 }, box)).toEqual({ width: 20, height: 20 });
  const drawing = { type: "image/svg+xml", ending: "svg", width: 10, height: 10 } as const;
  expect(fitWithin(drawing, box)).toEqual({ width: 40, height: 40 });
});
