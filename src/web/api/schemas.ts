import { z } from "zod";
import { problemSchema } from "../problem.ts";

const problem = {
  description: "What is wrong, and what to do",
  content: { "application/problem+json": { schema: problemSchema } },
};

/** Responses that every route can have. */
export const problems = { "4xx": problem, "5xx": problem };

export const id = z.object({ id: z.coerce.number().int().min(1).max(Number.MAX_SAFE_INTEGER) });

/** A boolean in the query: `?strict` or `?strict=1`. */
export const flag = z
  .enum(["", "1", "true", "0", "false"])
  .default("0")
  .transform((text) => text !== "0" && text !== "false");

export const after = z.coerce
  .number()
  .int()
  .min(0)
  .max(Number.MAX_SAFE_INTEGER)
  .default(0)
  .describe("Last ID of the previous page");

export function limit(fallback: number, most = 1_000) {
  return z.coerce.number().int().min(1).max(most).default(fallback);
}

/** A repeatable parameter: `?tag=a&tag=b`. */
export const several = z.union([z.array(z.string()), z.string().transform((one) => [one])]).default([]);
