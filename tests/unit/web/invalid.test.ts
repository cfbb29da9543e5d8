import { expect, test } from "vitest";
import { z } from "zod";
import { describeInvalid } from "../../../src/web/invalid.ts";

const item = z.strictObject({
  title: z.string().max(5),
  tags: z.array(z.string()).max(2).default([]),
  at: z.iso.datetime().optional(),
});
const schema = z.union([z.array(item).min(1).max(2), item]);

test.each([
  [null, "The request is missing: expected a list."],
  ["x", "The request is not a list."],
  [{}, "title is missing: expected a text."],
  [{ title: 3 }, "title: 3 is not a text."],
  [{ title: "far too long" }, 'title: "far too long" is not at most 5 characters long.'],
  [{ title: "x", tags: "a" }, 'tags: "a" is not a list.'],
  [{ title: "x", tags: ["a", 1] }, "tags[1]: 1 is not a text."],
  [{ title: "x", tags: ["a", "b", "c"] }, "tags: a list of 3 is not a list of at most 2."],
  [{ title: { deep: true } }, "title: an object is not a text."],
  [{ title: "x", colour: 1 }, '"colour" is unknown here: see /api/v1/openapi.json.'],
  [[{ title: "x" }, { title: null }], "[1].title: null is not a text."],
  [[{ title: "x", at: "noon" }], '[0].at: "noon" is not an instant such as 2026-11-24T07:00:00Z.'],
  [[{ title: "x", more: 1 }], '[0]: "more" is unknown here: see /api/v1/openapi.json.'],
])("%j: %s", (data, sentence) => {
  expect(describeInvalid(schema.safeParse(data).error!.issues, data)).toEqual([sentence]);
});

test.each([
  [z.object({ n: z.coerce.number().int().min(1) }), { n: "many" }, 'n: "many" is not a number.'],
  [z.object({ n: z.coerce.number().int().min(1) }), { n: "1.5" }, 'n: "1.5" is not a whole number.'],
  [z.object({ n: z.coerce.number().max(10) }), { n: "11" }, 'n: "11" is not at most 10.'],
  [z.object({ as: z.enum(["html", "text"]) }), { as: "pdf" }, 'as: "pdf" is not one of html, text.'],
  [z.object({ on: z.boolean() }), { on: "yes" }, 'on: "yes" is not true or false.'],
])("the value is shown as it was given: %#", (one, data, sentence) => {
  expect(describeInvalid(one.safeParse(data).error!.issues, data)).toEqual([sentence]);
});
