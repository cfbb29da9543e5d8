import rateLimit from "@fastify/rate-limit";
import { fastify, type FastifyInstance } from "fastify";
import type { App } from "../app.ts";
import { Refusal, reasonOf } from "../base/errors.ts";
import { sendProblem, problemOf } from "./failures.ts";
import { understandPorts } from "./this-machine.ts";
import { addHealthRoutes } from "./health.ts";
import { addMetricsRoute } from "./metrics.ts";

/**
 * What a process without pages answers: `/healthz`, `/readyz`, and `/metrics` with its own figures.
 * @param ended the queues that it takes no job from any more
 */
export function buildWorkerWeb(app: App, ended: () => string[]): FastifyInstance {
  const web = fastify({
    logger: false,
    trustProxy: app.config.trustProxy,
    // Nothing here takes a body.
    requestTimeout: 30_000,
    frameworkErrors: (error, _request, reply) => sendProblem(reply, problemOf(error, undefined)),
  });
  understandPorts(web);
  web.register(rateLimit, { global: false });
  web.setErrorHandler((error, request, reply) => {
    const answer = problemOf(error, request.headers["content-type"]);
    if (!(error instanceof Refusal)) app.log.error({ reason: reasonOf(error) }, "request failed");
    return sendProblem(reply, answer);
  });
  web.setNotFoundHandler(async () => {
    throw new Refusal(404, "worker_page_not_found");
  });
  web.register(async (scope) => addHealthRoutes(scope, app, ended));
  web.register(async (scope) => addMetricsRoute(scope, app, "process"));
  return web;
}
