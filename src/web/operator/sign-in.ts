import type { FastifyInstance } from "fastify";
import type { App } from "../../app.ts";
import { networkOf, siteOf } from "../../abuse/network.ts";
import { Refusal } from "../../base/errors.ts";
import { endSession } from "../../operators/sessions.ts";
import { signIn } from "../../operators/sign-in.ts";
import { writeAudit } from "../../audit/audit.ts";
import { readFields } from "../pages/fields.ts";
import { askToWait } from "../ask-to-wait.ts";
import { deviceCookie, sessionCookie } from "./cookie.ts";
import type { OperatorViews } from "./scope.ts";
import { codesPath } from "./session.ts";

const anyone = { config: { role: "anyone" } } as const;

/** `/operator/sign-in` and `/operator/sign-out`. */
export function addSignInPages(scope: FastifyInstance, app: App, views: OperatorViews): void {
  const cookie = sessionCookie(app.config.publicUrl);
  const device = deviceCookie(app.config.publicUrl);
  const show = { title: "Sign in", name: "", sentence: null };

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
      return views.send(request, reply, "sign-in", { ...show, name, next, sentence: error.message });
    }
  });

  scope.post("/operator/sign-out", { config: { role: "viewer", withoutCodes: true } }, async (request, reply) => {
    const token = cookie.read(request);
    if (token !== null) await endSession(app.db, token);
    const { name } = request.operator;
    await writeAudit(app.db, { at: app.clock.now(), actor: name, action: "operator sign out", subject: name });
    cookie.clear(reply);
    return reply.redirect("/operator/sign-in", 303);
  });
}

/** The page to continue on: always one of our own operators' pages. */
function nextPath(raw: string): string {
  const inside = /^\/operator(\/[\w.\-/%]*)?(\?[\w.\-/%&=+~]*)?$/.test(raw);
  return inside && !raw.includes("//") && !raw.startsWith("/operator/sign-") ? raw : "/operator";
}
