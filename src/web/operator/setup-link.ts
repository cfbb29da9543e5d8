import { sayFailure, englishWording } from "../../texts/catalogue.ts";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { App } from "../../app.ts";
import { Refusal } from "../../base/errors.ts";
import { readLink, useLink } from "../../operators/links.ts";
import { limitFailures } from "../limits.ts";
import { readFields } from "../pages/fields.ts";
import { deviceCookie, sessionCookie } from "./session.ts";
import type { OperatorViews } from "./dashboard.ts";

type AppDeps = Pick<App, "config" | "options" | "clock" | "db">;

const { say } = englishWording();

type LinkRequest = FastifyRequest<{ Params: { token: string } }>;

const madeUpPerMinute = 10;

/** `/operator/setup/:token`: an operator sets a password. Viewing the page does not use up the link. */
export function addSetupPages(scope: FastifyInstance, app: AppDeps, views: OperatorViews): void {
  const cookie = sessionCookie(app.config.publicUrl);
  const device = deviceCookie(app.config.publicUrl);
  const countFailure = limitFailures(scope, madeUpPerMinute);
  const anyone = { config: { role: "anyone" } } as const;

  async function show(request: LinkRequest, reply: FastifyReply, again?: { name: string; sentence: string }) {
    const owner = await readLink(app.db, request.params.token, app.clock.now());
    const title = say(owner.operatorId === null ? "title.first_operator" : "title.choose_password");
    const path = `/operator/setup/${request.params.token}`;
    const values = { title, path, role: owner.role, fixedName: owner.name, name: again?.name ?? "" };
    return views.send(request, reply, "setup-link", { ...values, sentence: again?.sentence ?? null });
  }

  scope.get<{ Params: { token: string } }>("/operator/setup/:token", anyone, (request, reply) =>
    counting(request, () => show(request, reply)),
  );

  scope.post<{ Params: { token: string } }>("/operator/setup/:token", anyone, (request, reply) =>
    counting(request, async () => {
      const fields = readFields(request.body);
      try {
        const { operatorId } = await readLink(app.db, request.params.token, app.clock.now());
        const session = await useLink(app, {
          token: request.params.token,
          name: fields.one("name"),
          password: fields.one("password"),
          repeated: fields.one("repeated"),
          device: device.read(request),
          from: request.ip,
          agent: request.headers["user-agent"] ?? "",
        });
        cookie.set(reply, session.token);
        device.set(reply, session.device);
        // The first operator continues with the setup.
        return reply.redirect(operatorId === null ? "/operator/setup" : "/operator", 303);
      } catch (error) {
        if (!(error instanceof Refusal) || (error.status !== 422 && error.status !== 409)) throw error;
        return show(request, reply.code(error.status), { name: fields.one("name"), sentence: sayFailure(error) });
      }
    }),
  );

  async function counting<T>(request: FastifyRequest, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      if (error instanceof Refusal && error.status === 404) await countFailure(request);
      throw error;
    }
  }
}
