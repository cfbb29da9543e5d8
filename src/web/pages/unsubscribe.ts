import type { FastifyInstance, FastifyRequest } from "fastify";
import type { App } from "../../app.ts";
import { rejoin, unsubscribe } from "../../subscribers/leave.ts";
import { refuseForeignPost } from "../abuse/foreign-posts.ts";
import type { Views } from "../views.ts";
import { readerPaths, type FindReader } from "./reader.ts";

const longestBody = 100_000;

/**
 * `/unsubscribe/:token`. Looking changes nothing, for scanners follow every link; a POST unsubscribes at once, whether
 * it comes from the page's button or, without cookies, from a mail program (RFC 8058, 3.1 and 3.2: 200, no redirect).
 */
export function addUnsubscribePages(web: FastifyInstance, app: App, deps: { views: Views; find: FindReader }): void {
  const { db, clock, log, options } = app;
  const { views, find } = deps;
  const { say } = views.words;

  // The address says all; the body, in whatever form mail programs send it, is read and left.
  web.removeContentTypeParser(["application/json", "text/plain"]);
  web.addContentTypeParser("*", { parseAs: "string", bodyLimit: longestBody }, (_request, _body, done) =>
    done(null, null),
  );

  web.get<{ Params: { token: string } }>("/unsubscribe/:token", async (request, reply) => {
    const reader = await find(request, "unsubscribe");
    const subscribed = reader.status === "active" || reader.status === "pending";
    return views.send(reply, subscribed ? "unsubscribe" : "unsubscribed", {
      title: subscribed ? say("Unsubscribe") : say("You are unsubscribed"),
      paths: readerPaths(options.secret, reader),
      undo: reader.status === "unsubscribed" && reader.confirmedAt !== null,
    });
  });

  web.post<{ Params: { token: string } }>("/unsubscribe/:token", async (request, reply) => {
    const reader = await find(request, "unsubscribe");
    if (await unsubscribe(db, reader.id, clock.now())) log.info({ subscriber: reader.id }, "reader unsubscribed");
    return views.send(reply, "unsubscribed", {
      title: say("You are unsubscribed"),
      paths: readerPaths(options.secret, reader),
      undo: reader.status !== "suppressed" && reader.confirmedAt !== null,
    });
  });

  // One-click requests come from anywhere; to come back is the reader's own act, on this page.
  const ownOnly = { onRequest: async (request: FastifyRequest) => refuseForeignPost(request) };
  web.post<{ Params: { token: string } }>("/unsubscribe/:token/undo", ownOnly, async (request, reply) => {
    const reader = await find(request, "unsubscribe");
    if (await rejoin(db, reader.id, { now: clock.now(), from: request.ip }))
      log.info({ subscriber: reader.id }, "reader came back");
    const back = (await find(request, "unsubscribe")).status === "active";
    return views.send(reply, "rejoined", {
      title: back ? say("You are subscribed again") : say("This cannot be undone here"),
      paths: readerPaths(options.secret, reader),
      back,
    });
  });
}
