import { STATUS_CODES } from "node:http";
import { z } from "zod";
import { Refusal } from "../base/errors.ts";
import { inEnglish, sentence, type Sentence } from "../base/sentence.ts";
import type { PageWords } from "./language/words.ts";

/** A problem document (RFC 9457). `detail` is one sentence for a person, `details` is for programs. */
export const problemSchema = z
  .object({
    type: z.literal("about:blank"),
    title: z.string(),
    status: z.int(),
    detail: z.string(),
    details: z.record(z.string(), z.unknown()),
  })
  .meta({ id: "Problem", description: "RFC 9457 problem document" });

export type Problem = z.output<typeof problemSchema>;

const sentences: Record<string, Sentence> = {
  FST_ERR_BAD_URL: sentence("The address contains an invalid percent code. Check it and try again."),
  FST_ERR_CTP_EMPTY_JSON_BODY: sentence("The body is empty: expected JSON, or no Content-Type header."),
  FST_ERR_CTP_INVALID_JSON_BODY: sentence("The body is not well-formed JSON."),
  FST_ERR_CTP_BODY_TOO_LARGE: sentence("The body is longer than this address takes."),
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: sentence("The body is not as long as Content-Length says."),
};

/**
 * The answer to anything thrown while a request was served; what is not meant for people becomes a 500 that says nothing.
 * @param words where a reader may be told; without them it is in English, as developers read it
 */
export function problemOf(error: unknown, contentType: string | undefined, words?: PageWords): Problem {
  if (error instanceof Refusal) return problem(error.status, words?.reason(error) ?? error.message, error.details);
  const tell = words?.tell ?? inEnglish;
  const { statusCode = 500, code = "" } = (error ?? {}) as { statusCode?: number; code?: string };
  if (statusCode === 415) {
    return problem(
      415,
      `A body of type ${JSON.stringify(contentType ?? "")} is not read here: see /api/v1/openapi.json.`,
    );
  }
  if (statusCode >= 400 && statusCode < 500)
    return problem(statusCode, tell(sentences[code] ?? sentence("The request cannot be read.")));
  return problem(500, tell(sentence("Something went wrong on this server: its log says what.")));
}

function problem(status: number, detail: string, details: Record<string, unknown> = {}): Problem {
  return { type: "about:blank", title: STATUS_CODES[status] ?? "Error", status, detail, details };
}
