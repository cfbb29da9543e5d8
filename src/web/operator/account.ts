import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { App } from "../../app.ts";
import { Refusal } from "../../base/errors.ts";
import { changePassword } from "../../operators/account.ts";
import {
  codesState,
  noteUsesSeen,
  offerCodes,
  renewRecoveryCodes,
  turnCodesOff,
  turnCodesOn,
} from "../../operators/codes.ts";
import { endSessions, listSessions } from "../../operators/sessions.ts";
import { tooManyTries } from "../../operators/sign-in.ts";
import { writeAudit } from "../../audit/audit.ts";
import { readFields } from "../pages/fields.ts";
import { askToWait } from "../ask-to-wait.ts";
import { sessionCookie } from "./cookie.ts";
import { moment } from "./moment.ts";
import { qrCode } from "./qr.ts";
import type { OperatorViews } from "./scope.ts";
import { codesPath } from "./session.ts";

const viewer = { config: { role: "viewer" } } as const;
const codesRoute = { config: { role: "viewer", withoutCodes: true } } as const;

/** `/operator/account`: an operator's own sessions and password; `/operator/account/codes`: one-time codes. */
export function addAccountPages(scope: FastifyInstance, app: App, views: OperatorViews): void {
  const { db, clock } = app;
  const cookie = sessionCookie(app.config.publicUrl);
  const here = "/operator/account";

  async function show(request: FastifyRequest, reply: FastifyReply, sentence: string | null): Promise<FastifyReply> {
    const session = request.operatorSession!;
    const sessions = await listSessions(db, session.operator.id, clock.now());
    return views.send(request, reply, "account", {
      title: "Account",
      sentence,
      codes: await codesState(db, session),
      sessions: sessions.map((one) => ({
        ...one,
        own: one.id === session.id,
        since: moment(one.createdAt),
        seen: moment(one.seenAt),
      })),
    });
  }

  async function showCodes(
    request: FastifyRequest,
    reply: FastifyReply,
    more: { sentence?: string; fresh?: string[] },
  ): Promise<FastifyReply> {
    // The request's session may be outdated, because the form may have changed the codes.
    const session = request.operatorSession!;
    const state = await codesState(db, session);
    session.operator.codes = state.on;
    const offer = state.on ? null : await offerCodes(app, session);
    return views.send(request, reply, "codes", {
      title: "One-time codes",
      recoveryShown: true,
      sentence: more.sentence ?? null,
      fresh: more.fresh ?? null,
      required: app.config.requireOneTimeCodes,
      codes: { ...state, uses: state.uses.map(({ at, from }) => ({ at: moment(at), from })) },
      offer: offer && { ...offer, qr: qrCode(offer.uri) },
    });
  }

  /** Handles a form. Refusals are shown above the forms. */
  async function act(
    reply: FastifyReply,
    again: (sentence: string) => Promise<FastifyReply>,
    work: () => Promise<FastifyReply>,
  ): Promise<FastifyReply> {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof Refusal) || ![409, 422, 429].includes(error.status)) throw error;
      askToWait(reply, error.details).code(error.status);
      return again(error.message);
    }
  }

  /** Limits password guesses by someone who finds an open session. */
  async function admit(request: FastifyRequest): Promise<void> {
    const seconds = await app.signIns.admitSession(request.operatorSession!.id);
    if (seconds !== null) throw tooManyTries(seconds);
  }

  scope.get(here, viewer, (request, reply) => show(request, reply, null));

  scope.post(`${here}/password`, viewer, (request, reply) =>
    act(
      reply,
      (sentence) => show(request, reply, sentence),
      async () => {
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
        return reply.redirect(here, 303);
      },
    ),
  );

  scope.get(codesPath, codesRoute, (request, reply) => showCodes(request, reply, {}));

  scope.post(codesPath, codesRoute, (request, reply) =>
    act(
      reply,
      (sentence) => showCodes(request, reply, { sentence }),
      async () => {
        await admit(request);
        const session = request.operatorSession!;
        const fields = readFields(request.body);
        const typed = {
          password: fields.one("present"),
          code: fields.one("code"),
          from: request.ip,
          agent: request.headers["user-agent"] ?? "",
        };
        switch (fields.one("act")) {
          case "on":
            return showCodes(request, reply, { fresh: await turnCodesOn(app, session, typed) });
          case "renew":
            return showCodes(request, reply, { fresh: await renewRecoveryCodes(app, session, typed.password) });
          case "off":
            cookie.set(reply, await turnCodesOff(app, session, typed));
            return reply.redirect(codesPath, 303);
          default:
            throw new Refusal(422, "form_incomplete");
        }
      },
    ),
  );

  scope.post(`${codesPath}/seen`, viewer, async (request, reply) => {
    await noteUsesSeen(app, request.operatorSession!);
    return reply.redirect(codesPath, 303);
  });

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
