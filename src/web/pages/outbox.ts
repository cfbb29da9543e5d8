import type { FastifyInstance } from "fastify";
import type { App } from "../../app.ts";
import { Refusal } from "../../base/errors.ts";
import { outboxFolder } from "../../mail/outbox-folder.ts";
import { confineMail } from "../security.ts";
import { browsedHere, showsOutbox } from "../this-machine.ts";
import type { Views } from "../views.ts";
import { listOutbox, readOutboxMail } from "./outbox-files.ts";
import { framed } from "./sample-view.ts";

const listed = 100;

/**
 * `/outbox`: the mails of a server without a relay and without a public address. They hold readers' links, so they are shown
 * to this machine alone, and everybody else gets a 404.
 */
export function addOutboxPages(web: FastifyInstance, { config }: App, views: Views): void {
  const folder = outboxFolder(config.dataDir);

  web.register(async (scope) => {
    scope.addHook("onRequest", async (request) => {
      if (!showsOutbox(config) || !browsedHere(request)) throw nothing();
    });

    scope.get("/outbox", async (_request, reply) => {
      const { mails, total } = await listOutbox(folder, listed);
      return views.send(reply, "outbox", { title: "Outbox", mails, total });
    });

    scope.get<{ Params: { file: string } }>("/outbox/:file", async (request, reply) => {
      const { file } = request.params;
      const mail = await readOutboxMail(folder, file);
      if (!mail) throw nothing();
      const path = `/outbox/${encodeURIComponent(file)}`;
      return views.send(reply, "mail", {
        title: mail.subject,
        mail,
        htmlPath: mail.html === null ? null : `${path}/html`,
      });
    });

    scope.get<{ Params: { file: string } }>("/outbox/:file/html", async (request, reply) => {
      const mail = await readOutboxMail(folder, request.params.file);
      if (mail?.html == null) throw nothing();
      return confineMail(reply).type("text/html; charset=utf-8").send(framed(mail.html));
    });
  });
}

function nothing(): Refusal {
  return new Refusal(404, "page_not_found");
}
