import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { Refusal, reasonOf } from "../base/errors.ts";
import type { Log } from "../base/log.ts";
import { askToWait } from "./ask-to-wait.ts";
import { problemOf, type Problem } from "./problem.ts";
import type { RouteList } from "./route-list.ts";
import { englishWording, type MessageKey } from "../wording/catalogue.ts";
import type { Views } from "./views.ts";

const headings: Record<number, MessageKey> = {
  404: "failure.404",
  410: "failure.410",
  413: "failure.413",
  429: "failure.429",
  500: "failure.500",
};

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
    if (isApi(request))
      throw new Refusal(404, "There is nothing at this address: all addresses are in /api/v1/openapi.json.");
    throw new Refusal(404, "page_not_found");
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
  const said = answer.status === 415 ? say("failure.not_a_form") : answer.detail;
  const heading = headings[answer.status] ?? "failure.other";
  return views.send(reply, "failure", { title: say(heading), sentence: said });
}

/** A program, such as the box on another site's page: it sent JSON, or wants nothing else. */
function speaksJson({ headers }: FastifyRequest): boolean {
  return [headers["content-type"], headers.accept].some((type) => /^application\/json\b/i.test(type ?? ""));
}
