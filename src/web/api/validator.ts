import type { FastifySchemaCompiler } from "fastify";
import type { z } from "zod";
import { Refusal } from "../../base/errors.ts";
import { describeInvalid } from "../invalid.ts";

const shownFaults = 20;

/** Checks a part of a request; what is wrong becomes a 422 Refusal in words. */
export const validatorCompiler: FastifySchemaCompiler<z.ZodType> =
  ({ schema }) =>
  (data: unknown) => {
    const result = schema.safeParse(data);
    if (result.success) return { value: result.data };
    const faults = describeInvalid(result.error.issues.slice(0, shownFaults), data);
    return { error: new Refusal(422, faults[0]!, { faults }) };
  };
