import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { App } from "../../app.ts";
import { askToWait } from "../ask-to-wait.ts";
import { problemOf } from "../problem.ts";
import { allowOwnScripts } from "../security.ts";
import type { Views } from "../views.ts";
import { demandSession, owesCodes } from "./session.ts";

/** Renders pages of templates/web/operator, each of which extends its `layout`. */
export interface OperatorViews {
  /**
   * Answers with `templates/web/operator/PAGE.liquid`. Templates also see `operator` (as in a session, or null), `codesDue`, `csrf` (name and value),
   * and the partial `operator/csrf`, which every form with method post includes.
   */
  send(
    request: FastifyRequest,
    reply: FastifyReply,
    page: string,
    values: { title: string } & Record<string, unknown>,
  ): Promise<FastifyReply>;
  /** Renders a partial of `templates/web/operator` without session data, because all clients share it. */
  render(part: string, values: Record<string, unknown>): string;
}

/**
 * Sets up a scope for operators' pages (see `demandSession`). Each of its routes declares `config: { role }`. Handlers use
 * `request.operator`, and `csrfField(request)` for forms they build themselves.
 */
export function operatorPages(scope: FastifyInstance, app: App, views: Views): OperatorViews {
  demandSession(scope, app);
  const operatorViews: OperatorViews = {
    async send(request, reply, page, values) {
      const session = request.operatorSession;
      const operator = session?.operator ?? null;
      const codesDue = owesCodes(app.config, session);
      const html = views.render(`operator/${page}`, { operator, codesDue, csrf: csrfField(request), ...values });
      return allowOwnScripts(reply).type("text/html; charset=utf-8").send(html);
    },
    render: (part, values) => views.render(`operator/${part}`, values),
  };
  const answerElse = scope.errorHandler;
  scope.setErrorHandler((error, request, reply) => {
    const answer = problemOf(error, undefined);
    if (answer.status >= 500 || reply.raw.headersSent) return answerElse(error as never, request, reply);
    askToWait(reply, answer.details).code(answer.status).header("cache-control", "no-store");
    return operatorViews.send(request, reply, "failure", { title: answer.title, sentence: answer.detail });
  });
  return operatorViews;
}

/** The hidden field that every form with method post must include. */
export function csrfField({ csrf }: FastifyRequest): { name: string; value: string } {
  return { name: "csrf", value: csrf };
}
