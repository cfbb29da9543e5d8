import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { STATUS_CODES } from "node:http";
import { z } from "zod";
import { Refusal, reasonOf } from "../base/errors.ts";
import type { Log } from "../base/log.ts";
import { englishWording, type MessageKey, type ErrorCode, type Wording } from "../texts/catalogue.ts";
import type { Views } from "./views.ts";

const headings: Record<number, MessageKey> = {
  404: "failure.404",
  410: "failure.410",
  413: "failure.413",
  429: "failure.429",
  500: "failure.500",
};

/** The heading of a page that says why a request failed. */
export function headingOf(status: number): MessageKey {
  return headings[status] ?? "failure.other";
}

/** Answers whatever was thrown, and addresses that lead nowhere: problem documents under /api, pages elsewhere. */
export function answerFailures(web: FastifyInstance, deps: { log: Log; views: Views; routes: RouteList }): void {
  web.setErrorHandler((thrown, request, reply) => {
    // A server fault can name paths and hosts, which only operators may read.
    const hidden = thrown instanceof Refusal && thrown.status >= 500 && !isForOperators(request);
    const error = hidden ? new Error(thrown.message) : thrown;
    const answer = problemOf(
      error,
      request.headers["content-type"],
      isApi(request) ? englishWording() : deps.views.words,
    );
    if (answer.status >= 500 && !(error instanceof Refusal)) {
      // The route's pattern, for an address may hold a token.
      const route = request.routeOptions.url ?? "none";
      const stack = error instanceof Error ? error.stack : undefined;
      deps.log.error({ method: request.method, route, reason: reasonOf(error), stack }, "request failed");
    }
    if (reply.raw.headersSent) return reply.raw.destroy();
    return send(deps.views, request, reply, answer);
  });
  web.setNotFoundHandler(async (request, reply) => {
    const path = request.url.split("?")[0]!;
    const allowed = deps.routes.allowed(path);
    if (allowed.length > 0) {
      reply.header("allow", allowed.join(", "));
      throw new Refusal(405, "method_not_allowed", { method: request.method, allowed: allowed.join(", ") });
    }
    throw new Refusal(404, isApi(request) ? "api_address_not_found" : "page_not_found");
  });
}

function isApi(request: FastifyRequest): boolean {
  return /^\/api(?:[/?]|$)/.test(request.url);
}

function isForOperators(request: FastifyRequest): boolean {
  return isApi(request) || /^\/operator(?:[/?]|$)/.test(request.url);
}

/** The problem document itself; an address that cannot even be read gets it too, wherever it may lead. */
export function sendProblem(reply: FastifyReply, answer: Problem): FastifyReply {
  return askToWait(reply, answer.details)
    .code(answer.status)
    .header("cache-control", "no-store")
    .type("application/problem+json")
    .send(JSON.stringify(answer));
}

async function send(
  views: Views,
  request: FastifyRequest,
  reply: FastifyReply,
  answer: Problem,
): Promise<FastifyReply> {
  if (isApi(request) || speaksJson(request)) return sendProblem(reply, answer);
  askToWait(reply, answer.details).code(answer.status).header("cache-control", "no-store");
  const { say } = views.words;
  const sentence = answer.status === 415 ? say("failure.not_a_form") : answer.detail;
  return views.send(reply, "failure", { title: say(headingOf(answer.status)), sentence });
}

/** A program, such as the box on another site's page: it sent JSON, or wants nothing else. */
function speaksJson({ headers }: FastifyRequest): boolean {
  return [headers["content-type"], headers.accept].some((type) => /^application\/json\b/i.test(type ?? ""));
}

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
  if (error instanceof Refusal) return problem(error.status, codeOf(error), words.failure(error), error.details);
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

/** Every route of the server, to tell a wrong method from a wrong address. */
interface RouteList {
  /** The methods that a path takes; none when no route matches it. */
  allowed(path: string): string[];
}

export function listRoutes(web: FastifyInstance): RouteList {
  const routes: { method: string; parts: string[] }[] = [];
  web.addHook("onRoute", ({ method, url }) => {
    for (const one of [method].flat()) routes.push({ method: one, parts: url.split("/") });
  });
  return {
    allowed(path) {
      const given = path.split("/");
      return [...new Set(routes.filter(({ parts }) => leadsTo(parts, given)).map(({ method }) => method))];
    },
  };
}

/** `:name` stands for one part that is not empty, `*` for all that is left. */
function leadsTo(parts: readonly string[], given: readonly string[]): boolean {
  const open = parts.at(-1) === "*";
  if (open ? given.length < parts.length : given.length !== parts.length) return false;
  return parts.every((part, i) => part === "*" || (part.startsWith(":") ? given[i] !== "" : part === given[i]));
}

/** Says when to ask again (RFC 9110, 10.2.3), where the details of a refusal have that. */
export function askToWait(reply: FastifyReply, details: Readonly<Record<string, unknown>>): FastifyReply {
  const seconds = details["retryAfterSeconds"];
  return typeof seconds === "number" ? reply.header("retry-after", Math.ceil(seconds)) : reply;
}
