import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { App } from "../../app.ts";
import { Refusal } from "../../base/errors.ts";
import { demandRole, type Actor, type Role } from "../../operators/roles.ts";
import { findSession, type Session } from "../../operators/sessions.ts";
import { actingFrom } from "../../audit/audit.ts";
import { refuseForeignPost } from "../abuse/foreign-posts.ts";
import { sessionCookie } from "./cookie.ts";
import { checkCsrf, csrfToken } from "./csrf.ts";

declare module "fastify" {
  interface FastifyContextConfig {
    /** The minimum role, declared by every route below /operator and /api/v1. `anyone` needs no sign-in. */
    role?: Role | "anyone";
    /** Whether operators may use the route before they turn on required one-time codes. */
    withoutCodes?: boolean;
    /** How a write proves that it comes from our own page. Default: `token`. */
    proof?: "token" | "same-origin";
  }
  interface FastifyRequest {
    /** The signed-in operator. Not set in routes for `anyone`. */
    operator: Actor;
    operatorSession: Session | null;
    /** The session's CSRF token; "" without a session. */
    csrf: string;
  }
}

/** The page that turns one-time codes on and off. */
export const codesPath = "/operator/account/codes";

const reads = new Set(["GET", "HEAD"]);

/**
 * Restricts a scope to operators with a session and the route's role (default: owner). Requests other than GET and HEAD
 * also need the session's CSRF token. Without a session, pages redirect to the sign-in page.
 */
export function demandSession(scope: FastifyInstance, app: Pick<App, "db" | "clock" | "options" | "config">): void {
  const { db, clock, options, config } = app;
  const cookie = sessionCookie(config.publicUrl);
  scope.decorateRequest("operator", null as unknown as Actor);
  scope.decorateRequest("operatorSession", null);
  scope.decorateRequest("csrf", "");
  scope.addHook("onRequest", async (request, reply) => {
    reply.header("cache-control", "no-store");
    refuseForeignPost(request);
    const token = cookie.read(request);
    // htmx requests fragments and events automatically. These must not extend the session.
    const by = request.headers["hx-request"] === undefined ? "operator" : "page";
    const session = token === null ? null : await findSession(db, token, clock.now(), by);
    const needed = request.routeOptions.config.role ?? "owner";
    if (session) {
      request.operatorSession = session;
      request.operator = session.operator;
      request.csrf = csrfToken(options.secret, session.hash);
    }
    if (needed === "anyone") return;
    if (!session) return askToSignIn(request, reply);
    if (owesCodes(config, session) && !request.routeOptions.config.withoutCodes) return askForCodes(request, reply);
    demandRole(session.operator, needed);
  });
  // Runs after the body is parsed, because the token may be a form field.
  scope.addHook("preHandler", (request, _reply, done) => {
    if (request.operatorSession && !reads.has(request.method)) {
      try {
        if (request.routeOptions.config.proof === "same-origin") demandSameOrigin(request);
        else checkCsrf(request, request.csrf);
      } catch (error) {
        return done(error as Error);
      }
    }
    actingFrom(request.ip, done);
  });
}

/** Whether the operator has to turn on one-time codes first. */
export function owesCodes(config: App["config"], session: Session | null): boolean {
  return config.requireOneTimeCodes && session !== null && !session.operator.codes;
}

/** Redirects to the page that turns on one-time codes. */
function askForCodes(request: FastifyRequest, reply: FastifyReply): FastifyReply {
  if (isPage(request, reply)) return reply.redirect(codesPath, 303);
  throw new Refusal(403, "one_time_codes_required", { path: codesPath });
}

/** Whether the request is for a full page. For fragments, htmx is told to reload the page. */
function isPage(request: FastifyRequest, reply: FastifyReply): boolean {
  const part = request.headers["hx-request"] !== undefined;
  if (part) reply.header("hx-refresh", "true");
  return !part && reads.has(request.method) && /text\/html|\*\/\*/.test(request.headers.accept ?? "*/*");
}

/** All current browsers send this header, and pages cannot forge it (Fetch Metadata). @throws Refusal 403 */
function demandSameOrigin({ headers }: FastifyRequest): void {
  if (headers["sec-fetch-site"] === "same-origin") return;
  throw new Refusal(403, "own_page_required");
}

/** Redirects to sign-in and back. Form data is lost and is not resubmitted. */
function askToSignIn(request: FastifyRequest, reply: FastifyReply): FastifyReply {
  if (!isPage(request, reply)) throw new Refusal(401, "signed_out");
  return reply.redirect(`/operator/sign-in?next=${encodeURIComponent(request.url)}`, 303);
}
