import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { Refusal, reasonOf } from "../base/errors.ts";
import type { Log } from "../base/log.ts";
import { problemOf, type Problem } from "./problem.ts";
import type { RouteList } from "./route-list.ts";
import type { Views } from "./views.ts";

const headings: Record<number, string> = {
  404: "Page not found",
  410: "This link has ended",
  413: "Too large",
  429: "Too many requests",
  500: "Something went wrong",
};

/** Answers whatever was thrown, and addresses that lead nowhere: problem documents under /api, pages elsewhere. */
export function answerFailures(web: FastifyInstance, deps: { log: Log; views: Views; routes: RouteList }): void {
  web.setErrorHandler((error, request, reply) => {
    const answer = problemOf(error, request.headers["content-type"]);
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
      throw new Refusal(405, `${request.method} is not possible here: this address takes ${allowed.join(", ")}.`);
    }
    const known = isApi(request) ? "all addresses are in /api/v1/openapi.json" : "look at the front page";
    throw new Refusal(404, `There is nothing at this address: ${known}.`);
  });
}

function isApi(request: FastifyRequest): boolean {
  return /^\/api(?:[/?]|$)/.test(request.url);
}

/** The problem document itself; an address that cannot even be read gets it too, wherever it may lead. */
export function sendProblem(reply: FastifyReply, answer: Problem): FastifyReply {
  return reply
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
  reply.code(answer.status).header("cache-control", "no-store");
  const sentence =
    answer.status === 415
      ? "What was sent is no form as this page sends it: go back and send it from there."
      : answer.detail;
  return views.send(reply, "failure", { title: headings[answer.status] ?? answer.title, sentence });
}

/** A program, such as the box on another site's page: it sent JSON, or wants nothing else. */
function speaksJson({ headers }: FastifyRequest): boolean {
  return [headers["content-type"], headers.accept].some((type) => /^application\/json\b/i.test(type ?? ""));
}
