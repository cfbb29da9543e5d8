import type { FastifySchemaCompiler } from "fastify";
import type { z } from "zod";
import { Refusal } from "../../base/errors.ts";
import { describeInvalid } from "../invalid.ts";

const shownFaults = 20;

/** Validates a part of a request. @throws Refusal 422 with a list of faults */
export const validatorCompiler: FastifySchemaCompiler<z.ZodType> =
  ({ schema }) =>
  (data: unknown) => {
    const result = schema.safeParse(data);
    if (result.success) return { value: result.data };
    const faults = describeInvalid(result.error.issues.slice(0, shownFaults), data);
    return { error: new Refusal(422, faults[0]!, { faults }) };
  };
