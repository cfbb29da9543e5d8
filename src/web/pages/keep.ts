import type { FastifyInstance, FastifyReply } from "fastify";
import type { App } from "../../app.ts";
import { keepSubscription } from "../../subscribers/keep.ts";
import { isAsked } from "../../subscribers/questions.ts";
import type { Subscriber } from "../../subscribers/store.ts";
import type { Views } from "../views.ts";
import { mayUndo, readerPaths, type FindReader, type LinkRequest } from "./reader.ts";

/**
 * `/keep/:token`: whether a reader still wants the emails. Looking changes nothing, for scanners follow every link; the button
 * answers. The token can do nothing else, so the page leads only to what the List-Unsubscribe link can do too (ADR 17).
 */
export function addKeepPage(
  web: FastifyInstance,
  app: Pick<App, "options" | "clock" | "log" | "db">,
  { views, find }: { views: Views; find: FindReader },
): void {
  const { say } = views.words;

  const show = (
    reply: FastifyReply,
    page: string,
    reader: Subscriber,
    values: { title: string } & Record<string, unknown>,
  ) => {
    const { oneClick } = readerPaths(app.options.secret, reader);
    const paths = { unsubscribe: oneClick, settings: `${oneClick}/settings`, preferences: null };
    return views.send(reply, page, { paths, ...values });
  };

  web.get("/keep/:token", async (request: LinkRequest, reply) => {
    const reader = await find(request, "keep");
    if (reader.status !== "active") return showLeft(reply, reader);
    const paused = reader.pausedSince !== null;
    if (!paused && !(await isAsked(app.db, reader.id))) return show(reply, "kept", reader, { title: say("keep.kept") });
    const title = paused ? say("keep.title_paused") : say("keep.title");
    return show(reply, "keep", reader, { title, paused, path: `/keep/${request.params.token}` });
  });

  web.post("/keep/:token", async (request: LinkRequest, reply) => {
    const reader = await find(request, "keep");
    if (reader.status !== "active") return showLeft(reply, reader);
    await keepSubscription(app, { id: reader.id, from: request.ip });
    return show(reply, "kept", reader, { title: say("keep.kept") });
  });

  function showLeft(reply: FastifyReply, reader: Subscriber): Promise<FastifyReply> {
    return show(reply, "unsubscribed", reader, { title: say("unsubscribed.title"), undo: mayUndo(reader) });
  }
}
