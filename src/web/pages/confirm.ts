import type { FastifyInstance, FastifyReply } from "fastify";
import type { App } from "../../app.ts";
import { Refusal } from "../../base/errors.ts";
import { confirmAddressChange, readAddressChange } from "../../subscribers/change-address.ts";
import { confirm, readConfirmation } from "../../subscribers/confirm.ts";
import type { CountFailure } from "../limits.ts";
import type { Views } from "../views.ts";
import { readerPaths, type LinkRequest } from "./reader.ts";

type AppDeps = Pick<App, "options" | "clock" | "log" | "db" | "wake" | "mayMail">;

interface Deps {
  views: Views;
  countFailure: CountFailure;
}

/** `/confirm/:token` and `/change-address/:token`: a mailbox says yes. Looking changes nothing; the button does. */
export function addConfirmPages(web: FastifyInstance, app: AppDeps, deps: Deps): void {
  addConfirmPage(web, app, deps);
  addChangePage(web, app, deps);
}

function addConfirmPage(web: FastifyInstance, app: AppDeps, deps: Deps): void {
  const { views } = deps;
  const { say } = views.words;
  const next = { path: "/subscribe", label: say("confirm.again") };

  web.get<{ Params: { token: string } }>("/confirm/:token", (request, reply) =>
    orRefused(reply, deps, next, async () => {
      const { token } = request.params;
      const found = await readConfirmation(app, token);
      if (!found) return notOurs(request, reply, deps, next);
      return views.send(reply, "confirm", {
        title: found.confirmed ? say("confirm.title_confirmed") : say("confirm.title"),
        path: `/confirm/${token}`,
        ...found,
      });
    }),
  );

  web.post<{ Params: { token: string } }>("/confirm/:token", (request, reply) =>
    orRefused(reply, deps, next, async () => {
      const { token } = request.params;
      if (!(await readConfirmation(app, token))) return notOurs(request, reply, deps, next);
      const reader = await confirm(app, token, request.ip);
      const active = reader.status === "active";
      return views.send(reply, "welcome", {
        title: active ? say("welcome.title") : say("welcome.title_left"),
        active,
        tags: reader.tags,
        allTags: reader.allTags,
        paths: readerPaths(app.options.secret, reader),
      });
    }),
  );
}

function addChangePage(web: FastifyInstance, app: AppDeps, deps: Deps): void {
  const { views } = deps;
  const { say } = views.words;
  const next = { path: "/", label: say("front.link") };

  web.get<{ Params: { token: string } }>("/change-address/:token", (request, reply) =>
    orRefused(reply, deps, next, async () => {
      const { token } = request.params;
      const found = await readAddressChange(app, token);
      if (!found) return notOurs(request, reply, deps, next);
      const path = `/change-address/${token}`;
      return views.send(reply, "change", { title: say("change.submit"), path, address: found.address });
    }),
  );

  web.post<{ Params: { token: string } }>("/change-address/:token", (request, reply) =>
    orRefused(reply, deps, next, async () => {
      const { token } = request.params;
      if (!(await readAddressChange(app, token))) return notOurs(request, reply, deps, next);
      const reader = await confirmAddressChange(app, token, request.ip);
      return views.send(reply, "changed", {
        title: say("change.title_done"),
        address: reader.address,
        paths: readerPaths(app.options.secret, reader),
      });
    }),
  );
}

interface Next {
  path: string;
  label: string;
}

async function notOurs(request: LinkRequest, reply: FastifyReply, deps: Deps, next: Next): Promise<FastifyReply> {
  await deps.countFailure(request);
  return sendRefusal(reply, deps.views, next, new Refusal(404, "link_incomplete"));
}

/** A link that leads no further is a page that says why, with the next step; failures that are not its own go on. */
async function orRefused(
  reply: FastifyReply,
  deps: Deps,
  next: Next,
  work: () => Promise<FastifyReply>,
): Promise<FastifyReply> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof Refusal && [403, 404, 409, 410].includes(error.status)) {
      return sendRefusal(reply, deps.views, next, error);
    }
    throw error;
  }
}

function sendRefusal(reply: FastifyReply, views: Views, next: Next, refusal: Refusal): Promise<FastifyReply> {
  const { say, reason } = views.words;
  const { status } = refusal;
  const title =
    status === 410
      ? say("confirm.title_expired")
      : status === 404
        ? say("confirm.title_invalid")
        : say("confirm.title_refused");
  return views.send(reply.code(status), "link-refused", { title, sentence: reason(refusal), next });
}
