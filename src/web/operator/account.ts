import { sayFailure, englishWording } from "../../texts/catalogue.ts";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { encode } from "uqr";
import type { App } from "../../app.ts";
import { Refusal } from "../../base/errors.ts";
import { changePassword } from "../../operators/password.ts";
import {
  codesState,
  noteUsesSeen,
  offerCodes,
  renewRecoveryCodes,
  turnCodesOff,
  turnCodesOn,
} from "../../operators/codes.ts";
import { listSessions } from "../../operators/sessions.ts";
import { tooManyTries } from "../../operators/sign-in.ts";
import { endOwnSessions } from "../../operators/sign-out.ts";
import { readFields } from "../pages/fields.ts";
import { askToWait } from "../failures.ts";
import { sessionCookie, codesPath } from "./session.ts";
import { utcMinute } from "./format.ts";
import type { OperatorViews } from "./dashboard.ts";

type AppDeps = Pick<App, "config" | "options" | "clock" | "db" | "signIns">;

const { say } = englishWording();

const viewer = { config: { role: "viewer" } } as const;
const codesRoute = { config: { role: "viewer", withoutCodes: true } } as const;

/** `/operator/account`: an operator's own sessions and password; `/operator/account/codes`: one-time codes. */
export function addAccountPages(scope: FastifyInstance, app: AppDeps, views: OperatorViews): void {
  const { db, clock } = app;
  const cookie = sessionCookie(app.config.publicUrl);
  const here = "/operator/account";

  async function show(request: FastifyRequest, reply: FastifyReply, sentence: string | null): Promise<FastifyReply> {
    const session = request.operatorSession!;
    const sessions = await listSessions(db, session.operator.id, clock.now());
    return views.send(request, reply, "account", {
      title: say("title.account"),
      sentence,
      codes: await codesState(db, session),
      sessions: sessions.map((one) => ({
        ...one,
        own: one.id === session.id,
        since: utcMinute(one.createdAt),
        seen: utcMinute(one.seenAt),
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
      title: say("title.codes"),
      recoveryShown: true,
      sentence: more.sentence ?? null,
      fresh: more.fresh ?? null,
      required: app.config.requireOneTimeCodes,
      codes: { ...state, uses: state.uses.map(({ at, from }) => ({ at: utcMinute(at), from })) },
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
      return again(sayFailure(error));
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
    const which = readFields(request.body).one("session");
    const only = /^\d{1,15}$/.test(which) ? { id: Number(which) } : {};
    await endOwnSessions(app, request.operatorSession!.operator, only);
    return reply.redirect(here, 303);
  });
}

/** A QR code (ISO/IEC 18004) as an SVG path of dark unit squares, in a square of `size` units. */
interface QrCode {
  size: number;
  path: string;
}

/** Width of the quiet zone in modules, required by the standard. Many cameras fail without it. */
const quiet = 4;

/** @param text such as an `otpauth:` link; up to about 2,000 characters fit */
export function qrCode(text: string): QrCode {
  const { data, size } = encode(text, { ecc: "M", border: quiet });
  const runs = data.flatMap((row, y) => runsOf(row).map(({ x, length }) => `M${x} ${y}h${length}v1h-${length}z`));
  return { size, path: runs.join("") };
}

/** Adjacent dark modules are merged, so that no hairlines appear between them. */
function runsOf(row: readonly boolean[]): { x: number; length: number }[] {
  const runs: { x: number; length: number }[] = [];
  row.forEach((dark, x) => {
    if (!dark) return;
    if (x > 0 && row[x - 1]) runs.at(-1)!.length += 1;
    else runs.push({ x, length: 1 });
  });
  return runs;
}
