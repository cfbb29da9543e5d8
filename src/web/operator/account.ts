import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { App } from "../../app.ts";
import { networkOf } from "../../abuse/network.ts";
import { Refusal } from "../../base/errors.ts";
import { changePassword, confirmCodes, dropCodes, offerCodes, usesCodes } from "../../operators/account.ts";
import { nameKey } from "../../operators/names.ts";
import { endSessions, listSessions } from "../../operators/sessions.ts";
import { writeAudit } from "../../ops/audit.ts";
import { readFields } from "../pages/fields.ts";
import { sessionCookie } from "./cookie.ts";
import { moment } from "./moment.ts";
import { qrCode } from "./qr.ts";
import type { OperatorViews } from "./scope.ts";

const viewer = { config: { role: "viewer" } } as const;

/** `/operator/account`: an operator's own sessions, password and one-time codes. */
export function addAccountPages(scope: FastifyInstance, app: App, views: OperatorViews): void {
  const { db, clock } = app;
  const cookie = sessionCookie(app.config.publicUrl);
  const here = "/operator/account";

  async function show(request: FastifyRequest, reply: FastifyReply, sentence: string | null): Promise<FastifyReply> {
    const session = request.operatorSession!;
    const [sessions, codes] = await Promise.all([
      listSessions(db, session.operator.id, clock.now()),
      usesCodes(db, session),
    ]);
    const offer = codes ? null : offerCodes(app, session);
    return views.send(request, reply, "account", {
      title: "Account",
      sentence,
      codes,
      offer: offer && { ...offer, qr: qrCode(offer.uri) },
      sessions: sessions.map((one) => ({
        ...one,
        own: one.id === session.id,
        since: moment(one.createdAt),
        seen: moment(one.seenAt),
      })),
    });
  }

  /** Does what a form asks, then shows the page anew; what is refused is shown above the forms. */
  async function act(
    request: FastifyRequest,
    reply: FastifyReply,
    work: () => Promise<unknown>,
  ): Promise<FastifyReply> {
    try {
      await work();
    } catch (error) {
      if (!(error instanceof Refusal) || (error.status !== 422 && error.status !== 429)) throw error;
      return show(request, reply.code(error.status), error.message);
    }
    return reply.redirect(here, 303);
  }

  /** Passwords are guessed here too, by whoever finds a session open. */
  async function admit(request: FastifyRequest): Promise<void> {
    const seconds = await app.signIns.admit(networkOf(request.ip), nameKey(request.operator.name));
    if (seconds !== null) throw new Refusal(429, "Too many tries: wait a quarter of an hour, then try again.");
  }

  scope.get(here, viewer, (request, reply) => show(request, reply, null));

  scope.post(`${here}/password`, viewer, (request, reply) =>
    act(request, reply, async () => {
      await admit(request);
      const fields = readFields(request.body);
      const token = await changePassword(app, request.operatorSession!, {
        present: fields.one("present"),
        password: fields.one("password"),
        repeated: fields.one("repeated"),
        from: request.ip,
        agent: request.headers["user-agent"] ?? "",
      });
      cookie.set(reply, token);
    }),
  );

  scope.post(`${here}/codes`, viewer, (request, reply) =>
    act(request, reply, async () => {
      await admit(request);
      const fields = readFields(request.body);
      if (fields.has("off")) return dropCodes(app, request.operatorSession!, fields.one("present"));
      return confirmCodes(app, request.operatorSession!, fields.one("code"));
    }),
  );

  scope.post(`${here}/sessions`, viewer, async (request, reply) => {
    const { operator } = request.operatorSession!;
    const which = readFields(request.body).one("session");
    const one = /^\d{1,15}$/.test(which) ? { id: Number(which) } : {};
    const ended = await endSessions(db, operator.id, one);
    const [at, actor, subject] = [clock.now(), operator.name, operator.name];
    await writeAudit(db, { at, actor, action: "operator end sessions", subject, detail: { ended } });
    return reply.redirect(here, 303);
  });
}
