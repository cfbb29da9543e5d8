import { expect, test } from "vitest";
import { Refusal } from "../../../../src/base/errors.ts";
import { sortProblems } from "../../../../src/web/operator/setup-fields.ts";

const refusal = (...problems: string[]): Refusal => new Refusal(422, problems.join(" "), { problems });

test("what is wrong with a setting stands at its field, in the form's words", () => {
  expect(sortProblems(refusal('MAIL_FROM: "alerts" is no address.', "ACCENT_COLOUR: it is no colour."))).toEqual({
    fields: { MAIL_FROM: '"alerts" is no address.', ACCENT_COLOUR: "It is no colour." },
    sentence: "Check “Sender”, “Accent colour”.",
  });
});

test("what another step asks for is called as its field is called", () => {
  const problem = "POSTAL_ADDRESS is not set: bulk mail, such as that through relay.example, must carry it.";
  expect(sortProblems(refusal(problem))).toEqual({
    fields: {},
    sentence: "“Postal address” is not set: bulk mail, such as that through relay.example, must carry it.",
  });
});

test("any other sentence stays as it is, but for the names that only the environment has", () => {
  const about = (message: string): string => sortProblems(new Refusal(422, message)).sentence;
  expect(about("http://news.example/ is a web page, not a feed.")).toBe(
    "http://news.example/ is a web page, not a feed.",
  );
  expect(about("The relay refused the password. Check both in SMTP_URL.")).toBe(
    "The relay refused the password. Check both.",
  );
  expect(about("SMTP_URL: it has a ? with options.")).toBe("It has a ? with options.");
});
