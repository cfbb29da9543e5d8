import { sayFailure, englishWording } from "../../texts/catalogue.ts";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { createHmac, timingSafeEqual } from "node:crypto";
import type { App } from "../../app.ts";
import { Refusal } from "../../base/errors.ts";
import { demandRole, type Actor, type Role } from "../../operators/roles.ts";
import { findSession, type Session, absoluteMs, deviceMs } from "../../operators/sessions.ts";
import { actingFrom } from "../../audit/audit.ts";
import { refuseForeignPost } from "../abuse/guard.ts";
import { networkOf, siteOf } from "../../abuse/network.ts";
import { signIn } from "../../operators/sign-in.ts";
import { signOut } from "../../operators/sign-out.ts";
import { readFields } from "../pages/fields.ts";
import { askToWait } from "../failures.ts";
import type { OperatorViews } from "./dashboard.ts";

type AppDeps = Pick<App, "config" | "options" | "clock" | "log" | "db" | "signIns">;

const { say } = englishWording();

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

interface OperatorCookie {
  read(request: FastifyRequest): string | null;
  set(reply: FastifyReply, value: string): void;
  clear(reply: FastifyReply): void;
}

/** The session cookie. */
export function sessionCookie(publicUrl: string): OperatorCookie {
  return hostCookie(publicUrl, { name: "dayletter", value: /^[\w-]{20,100}$/, ms: absoluteMs });
}

/** The cookie of a browser that has signed in before; see `knownDevice`. */
export function deviceCookie(publicUrl: string): OperatorCookie {
  return hostCookie(publicUrl, { name: "dayletter-device", value: /^[\w.~-]{20,400}$/, ms: deviceMs });
}

/**
 * With https, the `__Host-` prefix prevents other hosts and unencrypted connections from setting it (RFC 6265bis, 4.1.3.2).
 * Without https, another path or host can add a cookie of the same name. The first valid value counts; @fastify/cookie keeps
 * only the first one, so such a cookie would sign operators out.
 */
function hostCookie(publicUrl: string, cookie: { name: string; value: RegExp; ms: number }): OperatorCookie {
  const secure = publicUrl.startsWith("https://");
  const name = secure ? `__Host-${cookie.name}` : cookie.name;
  const rest = `Path=/; HttpOnly; SameSite=Lax${secure ? "; Secure" : ""}`;
  return {
    read({ headers }) {
      const values = (headers.cookie ?? "").split(";").map((pair) => pair.trim());
      const own = values.filter((pair) => pair.startsWith(`${name}=`)).map((pair) => pair.slice(name.length + 1));
      return own.find((value) => cookie.value.test(value)) ?? null;
    },
    set: (reply, value) => void reply.header("set-cookie", `${name}=${value}; ${rest}; Max-Age=${cookie.ms / 1_000}`),
    clear: (reply) => void reply.header("set-cookie", `${name}=; ${rest}; Max-Age=0`),
  };
}

/**
 * The CSRF token of a session. It is derived from the session, so it ends with the session and needs no storage.
 * @fastify/csrf-protection keeps its secret in a cookie of its own, which is not bound to the session in the database.
 */
function csrfToken(secret: string, sessionHash: Buffer): string {
  return createHmac("sha256", secret).update("csrf:").update(sessionHash).digest("base64url");
}

/**
 * Reads the token from the field `csrf` or, for scripts, from the header `x-csrf-token`.
 * @throws Refusal 403
 */
function checkCsrf({ body, headers }: FastifyRequest, expected: string): void {
  const field = typeof body === "object" && body !== null ? (body as Record<string, unknown>)["csrf"] : undefined;
  const given = headers["x-csrf-token"] ?? field;
  const wanted = Buffer.from(expected);
  const got = Buffer.from(typeof given === "string" ? given : "");
  if (got.length === wanted.length && timingSafeEqual(got, wanted)) return;
  throw new Refusal(403, "form_session_changed");
}

const anyone = { config: { role: "anyone" } } as const;

/** `/operator/sign-in` and `/operator/sign-out`. */
export function addSignInPages(scope: FastifyInstance, app: AppDeps, views: OperatorViews): void {
  const cookie = sessionCookie(app.config.publicUrl);
  const device = deviceCookie(app.config.publicUrl);
  const show = { title: say("title.sign_in"), name: "", sentence: null };

  scope.get("/operator/sign-in", anyone, async (request, reply) => {
    const next = nextPath(readFields(request.query).one("next"));
    if (request.operatorSession) return reply.redirect(next, 303);
    return views.send(request, reply, "sign-in", { ...show, next });
  });

  scope.post("/operator/sign-in", anyone, async (request, reply) => {
    const fields = readFields(request.body);
    const next = nextPath(fields.one("next"));
    const name = fields.one("name");
    try {
      const signedIn = await signIn(app, {
        name,
        password: fields.one("password"),
        code: fields.one("code"),
        network: networkOf(request.ip),
        site: siteOf(request.ip),
        device: device.read(request),
        from: request.ip,
        agent: request.headers["user-agent"] ?? "",
        old: cookie.read(request),
      });
      cookie.set(reply, signedIn.token);
      device.set(reply, signedIn.device);
      // Every page shows a notice about it, but this one also offers new codes.
      return reply.redirect(signedIn.recovery ? codesPath : next, 303);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      app.log.warn({ status: error.status }, "operator sign-in failed");
      askToWait(reply, error.details).code(error.status);
      return views.send(request, reply, "sign-in", { ...show, name, next, sentence: sayFailure(error) });
    }
  });

  scope.post("/operator/sign-out", { config: { role: "viewer", withoutCodes: true } }, async (request, reply) => {
    await signOut(app, { token: cookie.read(request), name: request.operator.name });
    cookie.clear(reply);
    return reply.redirect("/operator/sign-in", 303);
  });
}

/** The page to continue on: always one of our own operators' pages. */
function nextPath(raw: string): string {
  const inside = /^\/operator(\/[\w.\-/%]*)?(\?[\w.\-/%&=+~]*)?$/.test(raw);
  return inside && !raw.includes("//") && !raw.startsWith("/operator/sign-") ? raw : "/operator";
}
