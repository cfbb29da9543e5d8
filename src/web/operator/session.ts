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
    /** The least role that a route takes; every route below /operator and /api/v1 names it. `anyone` needs no sign-in. */
    role?: Role | "anyone";
    /** Whether an operator who has yet to turn on required one-time codes may use it. */
    withoutCodes?: boolean;
    /** What proves that a write comes from our own page: a token if not said, or the browser's word for it. */
    proof?: "token" | "same-origin";
  }
  interface FastifyRequest {
    /** Who asks; not to be used in routes for `anyone`. */
    operator: Actor;
    operatorSession: Session | null;
    /** Of the session: what every form of an operator must hold; "" without one. */
    csrf: string;
  }
}

/** Where one-time codes are turned on and off. */
export const codesPath = "/operator/account/codes";

const reads = new Set(["GET", "HEAD"]);

/**
 * Lets only operators into a scope: with a session, the role that the route names (owner, where it names none), and for
 * whatever is no GET or HEAD the session's CSRF token. Without a session, pages lead to the sign-in page.
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
    // htmx asks for parts of an open page by itself, and listens to its events.
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
  // After the body was read, for the token may be a field of it.
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

/** Whether an operator has to turn on one-time codes before anything else. */
export function owesCodes(config: App["config"], session: Session | null): boolean {
  return config.requireOneTimeCodes && session !== null && !session.operator.codes;
}

/** Leads to the page that turns one-time codes on. */
function askForCodes(request: FastifyRequest, reply: FastifyReply): FastifyReply {
  if (isPage(request, reply)) return reply.redirect(codesPath, 303);
  throw new Refusal(403, "one_time_codes_required", { path: codesPath });
}

/** Whether a whole page is asked for. A part of one leads nowhere: htmx then asks for the page once more. */
function isPage(request: FastifyRequest, reply: FastifyReply): boolean {
  const part = request.headers["hx-request"] !== undefined;
  if (part) reply.header("hx-refresh", "true");
  return !part && reads.has(request.method) && /text\/html|\*\/\*/.test(request.headers.accept ?? "*/*");
}

/** Every browser of the last years sends this header, and no page can (Fetch Metadata). @throws Refusal 403 */
function demandSameOrigin({ headers }: FastifyRequest): void {
  if (headers["sec-fetch-site"] === "same-origin") return;
  throw new Refusal(403, "own_page_required");
}

/** Back to the page after signing in; whatever a form held is lost, and is not sent by itself afterwards. */
function askToSignIn(request: FastifyRequest, reply: FastifyReply): FastifyReply {
  if (!isPage(request, reply)) throw new Refusal(401, "signed_out");
  return reply.redirect(`/operator/sign-in?next=${encodeURIComponent(request.url)}`, 303);
}
