import { expect, test } from "vitest";
import { z } from "zod";
import { faultsOf, sayFault } from "../../../src/web/invalid.ts";

const item = z.strictObject({
  title: z.string().max(5),
  tags: z.array(z.string()).max(2).default([]),
  at: z.iso.datetime().optional(),
  domain: z
    .string()
    .regex(/^[^@]*$/, "not_a_domain")
    .optional(),
});
const schema = z.union([z.array(item).min(1).max(2), item]);
const only = (some: z.ZodType, data: unknown) => faultsOf(some.safeParse(data).error!.issues, data);

test.each<[unknown, string, string, object?]>([
  [null, "", "missing"],
  ["x", "", "wrong_type", { expected: "array", value: '"x"' }],
  [{}, "title", "missing"],
  [{ title: 3 }, "title", "wrong_type", { expected: "string", value: "3" }],
  [{ title: "far too long" }, "title", "too_big", { origin: "string", limit: 5, value: '"far too long"' }],
  [{ title: "x", tags: "a" }, "tags", "wrong_type", { expected: "array", value: '"a"' }],
  [{ title: "x", tags: ["a", 1] }, "tags[1]", "wrong_type", { expected: "string", value: "1" }],
  [{ title: "x", tags: ["a", "b", "c"] }, "tags", "too_big", { origin: "array", limit: 2, value: "a list of 3 items" }],
  [{ title: { deep: true } }, "title", "wrong_type", { expected: "string", value: "an object" }],
  [{ title: "x", colour: 1 }, "", "unknown_fields", { n: 1, names: "colour" }],
  [[{ title: "x" }, { title: null }], "[1].title", "wrong_type", { expected: "string", value: "null" }],
  [[{ title: "x", at: "noon" }], "[0].at", "wrong_format", { format: "datetime", value: '"noon"' }],
  [[{ title: "x", more: 1 }], "[0]", "unknown_fields", { n: 1, names: "[0].more" }],
  [{ title: "x", domain: "a@b.example" }, "domain", "not_a_domain", { value: '"a@b.example"' }],
])("%j: the fault of %s is %s", (data, field, code, details = {}) => {
  expect(only(schema, data)).toEqual([{ field, code, details }]);
});

test.each<[z.ZodType, unknown, object]>([
  [z.coerce.number().int().min(1), "many", { code: "wrong_type", details: { expected: "number", value: '"many"' } }],
  [z.coerce.number().int().min(1), "1.5", { code: "wrong_type", details: { expected: "int", value: '"1.5"' } }],
  [z.coerce.number().max(10), "11", { code: "too_big", details: { origin: "number", limit: 10, value: '"11"' } }],
  [z.enum(["html", "text"]), "pdf", { code: "not_a_choice", details: { choices: "html, text", value: '"pdf"' } }],
  [z.boolean(), "yes", { code: "wrong_type", details: { expected: "boolean", value: '"yes"' } }],
])("the value is shown as it was given: %#", (one, n, fault) => {
  expect(only(z.object({ n: one }), { n })).toEqual([{ field: "n", ...fault }]);
});

test("every fault has a sentence that names its field", () => {
  const faults = only(z.array(schema), [{ title: 3 }, { title: "x", colour: 1 }, [{ title: "x", at: "noon" }]]);
  expect(faults.map(sayFault).map((text, i) => text.includes(["[0].title", "[1].colour", "[2][0].at"][i]!))).toEqual([
    true,
    true,
    true,
  ]);
});
