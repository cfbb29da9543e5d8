import { expect, test } from "vitest";
import { Refusal } from "../../../../src/base/errors.ts";
import type { SettingProblem } from "../../../../src/config/settings.ts";
import { sortProblems } from "../../../../src/web/operator/setup-fields.ts";
import { textOf } from "../../../support/text.ts";

const refusal = (...problems: SettingProblem[]): Refusal =>
  new Refusal(422, "settings_invalid", { reasons: "", problems });
const wrongSender: SettingProblem = { name: "MAIL_FROM", code: "sender_invalid", data: { value: "alerts" } };
const wrongColour: SettingProblem = { name: "ACCENT_COLOUR", code: "colour_invalid", data: { value: "red" } };
const noAddress: SettingProblem = { name: "POSTAL_ADDRESS", code: "postal_address_missing", data: { relay: "relay" } };

test("what is wrong with a setting stands at its field, in the form's words", () => {
  expect(sortProblems(refusal(wrongSender, wrongColour), "publication")).toEqual({
    fields: {
      MAIL_FROM: textOf("error.sender_invalid", { value: "alerts" }),
      ACCENT_COLOUR: textOf("error.colour_invalid", { value: "red" }),
    },
    sentence: "Check “Sender”, “Accent colour”.",
  });
});

test("what another step asks for is called as its field is called", () => {
  expect(sortProblems(refusal(noAddress), "relay")).toEqual({
    fields: {},
    sentence: textOf("error.postal_address_missing", { name: "“Postal address”", relay: "relay" }),
  });
});

test("the name of the variable stands only before what no form has", () => {
  const options: SettingProblem = { name: "SMTP_URL", code: "relay_url_options", data: {} };
  expect(sortProblems(refusal(options), "relay").sentence).toBe(textOf("error.relay_url_options"));
  const port: SettingProblem = { name: "PORT", code: "flag_invalid", data: { value: "x" } };
  expect(sortProblems(refusal(port), "relay").sentence).toBe(`PORT: ${textOf("error.flag_invalid", { value: "x" })}`);
});

test("any other refusal has its own sentence", () => {
  const refused = new Refusal(422, "no_weekday_chosen");
  expect(sortProblems(refused, "schedule")).toEqual({ fields: {}, sentence: textOf("error.no_weekday_chosen") });
});
