import { z } from "zod";
import { problemSchema } from "../problem.ts";

const problem = {
  description: "What was wrong, and what to do",
  content: { "application/problem+json": { schema: problemSchema } },
};

/** What any route can answer besides its own. */
export const problems = { "4xx": problem, "5xx": problem };

export const id = z.object({ id: z.coerce.number().int().min(1).max(Number.MAX_SAFE_INTEGER) });

/** A switch in the query: `?strict` and `?strict=1` turn it on. */
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
  .describe("The last id of the page before");

export function limit(fallback: number, most = 1_000) {
  return z.coerce.number().int().min(1).max(most).default(fallback);
}

/** A repeatable parameter: `?tag=a&tag=b`. */
export const several = z.union([z.array(z.string()), z.string().transform((one) => [one])]).default([]);
