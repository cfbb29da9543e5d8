import { STATUS_CODES } from "node:http";
import { z } from "zod";
import { Refusal } from "../base/errors.ts";
import { englishWording, type ErrorCode, type Wording } from "../wording/catalogue.ts";

/**
 * A problem document (RFC 9457). `detail` is a sentence for people. Programs read `code`, which stays when the sentence
 * changes, and `details`.
 */
export const problemSchema = z
  .object({
    type: z.literal("about:blank"),
    title: z.string(),
    status: z.int(),
    code: z.string().nullable().describe("What went wrong, such as `too_many_tags`; null where there is no code"),
    detail: z.string(),
    details: z.record(z.string(), z.unknown()),
  })
  .meta({ id: "Problem", description: "RFC 9457 problem document" });

export type Problem = z.output<typeof problemSchema>;

const fastifyCodes: Record<string, ErrorCode> = {
  FST_ERR_BAD_URL: "url_invalid",
  FST_ERR_CTP_EMPTY_JSON_BODY: "body_empty",
  FST_ERR_CTP_INVALID_JSON_BODY: "body_not_json",
  FST_ERR_CTP_BODY_TOO_LARGE: "body_too_large",
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: "body_length",
};

/**
 * The answer to anything thrown while a request was served; what is not meant for people becomes a 500 that says nothing.
 * @param words where a reader may be told; without them it is in English, as developers read it
 */
export function problemOf(error: unknown, contentType: string | undefined, words: Wording = englishWording()): Problem {
  if (error instanceof Refusal) return problem(error.status, codeOf(error), words.reason(error), error.details);
  const { statusCode = 500, code = "" } = (error ?? {}) as { statusCode?: number; code?: string };
  if (statusCode === 415) {
    const type = JSON.stringify(contentType ?? "");
    return problem(415, "media_type_unsupported", words.say("error.media_type_unsupported", { type }));
  }
  const known = statusCode >= 400 && statusCode < 500 ? (fastifyCodes[code] ?? "request_unreadable") : "internal";
  return problem(known === "internal" ? 500 : statusCode, known, words.say(`error.${known}`));
}

/** Fastify gives a code of its own to an error that has none. */
function codeOf({ code }: Refusal): string | null {
  return code !== null && !code.startsWith("FST_") ? code : null;
}

function problem(status: number, code: string | null, detail: string, details: Record<string, unknown> = {}): Problem {
  return { type: "about:blank", title: STATUS_CODES[status] ?? "Error", status, code, detail, details };
}
