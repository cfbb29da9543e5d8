import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { fromQuotedPrintable, headerText, phrase, quotedPrintable } from "../../../src/mail/encode.ts";

const anyText = fc.string({ unit: "binary", maxLength: 400 });
const words = fc.string({ unit: fc.constantFrom("a", ".", "/", "=", "F"), minLength: 60, maxLength: 240 });
const lineText = fc.oneof(
  fc.string({ unit: "grapheme", maxLength: 200 }),
  fc.string({ unit: "grapheme-ascii", maxLength: 300 }),
  fc.constantFrom("=?UTF-8?B?eA==?=", "a".repeat(960), `${"word ".repeat(200)}end`, "한국".repeat(60)),
);

describe("quoted-printable", () => {
  test("pieces joined in any order decode to the joined texts", () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(anyText, words), { maxLength: 6 }), (texts) => {
        const normal = texts.map((text) => text.replace(/\r\n?/g, "\n"));
        const body = normal.map(quotedPrintable).join("");
        expect(fromQuotedPrintable(body)).toBe(normal.join(""));
        for (const line of body.split("\r\n")) {
          expect(line).toMatch(/^[\t -~]{0,76}$/);
          expect(line).not.toMatch(/[\t ]$|^\.|^From /);
        }
      }),
    );
  });

  test.each([
    ["a hard line break stays one", "a\nb\n", "a\r\nb\r\n"],
    ["a space before a line break is kept", "a \nb\n", "a=20\r\nb\r\n"],
    ["a leading dot needs no stuffing", ".\n", "=2E\r\n"],
    ["no line begins with From", "From here\n", "=46rom here\r\n"],
    ["an equals sign", "a=b", "a=3Db=\r\n"],
    ["other scripts are UTF-8", "한", "=ED=95=9C=\r\n"],
    ["an empty text is an empty piece", "", ""],
    ["75 characters and the soft break fill a line", "x".repeat(75), `${"x".repeat(75)}=\r\n`],
    ["76 do not", "x".repeat(76), `${"x".repeat(75)}=\r\nx=\r\n`],
    ["nor does a dot that would begin a line", `${"x".repeat(75)}.y`, `${"x".repeat(75)}=\r\n=2Ey=\r\n`],
  ])("%s", (_, text, encoded) => {
    expect(quotedPrintable(text)).toBe(encoded);
  });
});

describe("header text", () => {
  test("any line unfolds and decodes to itself, within the limits", () => {
    fc.assert(
      fc.property(lineText, (raw) => {
        const text = raw
          .replace(/\p{Cc}/gu, "")
          .replace(/ +/g, " ")
          .trim();
        const folded = headerText("Subject", text);
        const lines = `Subject: ${folded}`.split("\r\n");
        for (const line of lines) expect(line).toMatch(/^[ -~]{0,998}$/);
        for (const word of folded.match(/=\?UTF-8\?B\?[^?]*\?=/g) ?? []) expect(word.length).toBeLessThanOrEqual(75);
        expect(decoded(folded)).toBe(text);
      }),
    );
  });

  test.each([
    ["Telecom Courier", "Telecom Courier"],
    ['The "Courier", daily', '"The \\"Courier\\", daily"'],
    ["통신", "=?UTF-8?B?7Ya17Iug?="],
    ["=?x?q?y?=", "=?UTF-8?B?PT94P3E/eT89?="],
  ])("the display name %j is %j", (name, written) => {
    expect(phrase("From", name)).toBe(written);
  });
});

function decoded(folded: string): string {
  const line = folded.replace(/\r\n /g, " ");
  if (!line.startsWith("=?")) return line;
  return line
    .split(" ")
    .map((word) => Buffer.from(/^=\?UTF-8\?B\?(.*)\?=$/.exec(word)?.[1] ?? "", "base64").toString("utf8"))
    .join("");
}
