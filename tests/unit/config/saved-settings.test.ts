import fc from "fast-check";
import { expect, it } from "vitest";
import { formatSaved, parseSaved } from "../../../src/config/saved-settings.ts";
import { environmentLines, relayUrl } from "../../../src/web/operator/setup-fields.ts";

it("what is written is read again, whatever it is", () => {
  const value = fc.string({ unit: "binary" }).filter((raw) => raw !== "");
  fc.assert(
    fc.property(value, value, (one, two) => {
      expect(parseSaved(formatSaved({ ONE: one, TWO: two, NONE: "" }))).toEqual({
        values: { ONE: one, TWO: two },
        problems: [],
      });
    }),
  );
});

it("a person may write it; what is no setting, or none of this file, is told by line", () => {
  const { values, problems } = parseSaved(
    '# ours\n\nMAIL_FROM="News" <n@example.com>\n A = b=c \nwhat\nDATABASE_URL=x',
  );
  expect(values).toEqual({ MAIL_FROM: '"News" <n@example.com>', A: "b=c" });
  expect(problems).toEqual([
    { name: "settings.env", code: "settings_line_invalid", data: { line: 5 } },
    { name: "DATABASE_URL", code: "settings_name_fixed", data: {} },
  ]);
});

const present = { host: "relay.example", port: 587, secure: false, user: "me", password: "p@ss" };
const typed = { host: "relay.example", port: "587", user: "me", password: "" };
it.each([
  ["", { ...typed, host: "" }],
  ["smtp://me:p%40ss@relay.example:587", typed],
  ["smtp://me:new@relay.example:587", { ...typed, password: "new" }],
  // A password goes nowhere but to the relay it was given for.
  ["smtp://me:@other.example:587", { ...typed, host: "other.example" }],
  ["smtps://relay.example:465", { ...typed, port: "465", user: "" }],
  ["smtp://[::1]:587", { ...typed, host: "::1", user: "" }],
])("%j is the relay", (url, fields) => expect(relayUrl(fields, present)).toBe(url));

it("lines for a shell keep quotes", () => {
  expect(environmentLines({ A: "it's", B: "" })).toBe("A='it'\\''s'");
});
