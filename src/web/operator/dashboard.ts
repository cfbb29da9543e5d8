import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { App } from "../../app.ts";
import { askToWait, headingOf, problemOf } from "../failures.ts";
import { allowOwnScripts } from "../security.ts";
import type { Views } from "../views.ts";
import { englishWording } from "../../texts/catalogue.ts";
import { demandSession, owesCodes } from "./session.ts";
import { allows, type Role } from "../../operators/roles.ts";

type AppDeps = Pick<App, "config" | "options" | "clock" | "db">;

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
export function operatorPages(scope: FastifyInstance, app: AppDeps, views: Views): OperatorViews {
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
    return operatorViews.send(request, reply, "failure", {
      title: englishWording().say(headingOf(answer.status)),
      sentence: answer.detail,
    });
  });
  return operatorViews;
}

/** The hidden field that every form with method post must include. */
function csrfField({ csrf }: FastifyRequest): { name: string; value: string } {
  return { name: "csrf", value: csrf };
}

/** The sections of the menu. */
type Place = "today" | "editions" | "schedule" | "readers" | "tags" | "sources" | "site";

/** Answers with a page of templates/web/operator, with the permissions of the signed-in operator. */
export type Show = (
  request: FastifyRequest,
  reply: FastifyReply,
  page: { name: string; title: string; place: Place },
  values: Record<string, unknown>,
) => Promise<FastifyReply>;

/** Route options for the required role. */
export const needs = {
  viewer: { config: { role: "viewer" } },
  editor: { config: { role: "editor" } },
  owner: { config: { role: "owner" } },
} as const satisfies Record<Role, { config: { role: Role } }>;

export function openDashboard(views: OperatorViews): Show {
  return (request, reply, { name, title, place }, values) => {
    const { role } = request.operator;
    const may = { edit: allows(role, "editor"), own: allows(role, "owner") };
    return views.send(request, reply, name, { title, place, may, ...values });
  };
}
