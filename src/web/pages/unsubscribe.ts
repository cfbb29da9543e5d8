import { requestSettingsLink } from "../../subscribers/request-mail.ts";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { App } from "../../app.ts";
import type { Subscriber } from "../../subscribers/store.ts";
import type { Purpose } from "../../subscribers/tokens.ts";
import { resubscribeReader, unsubscribeReader } from "../../subscribers/unsubscribe.ts";
import { refuseForeignPost } from "../abuse/guard.ts";
import type { Views } from "../views.ts";
import { mayUndo, readerPaths, type FindReader, type LinkRequest } from "./reader.ts";

type AppDeps = Pick<App, "options" | "clock" | "log" | "db" | "wake" | "mayMail">;

const longestBody = 100_000;

/** Browsers alone send forms here; one-click requests come from anywhere. */
const ownOnly = { onRequest: async (request: FastifyRequest) => refuseForeignPost(request) };

interface Deps {
  views: Views;
  find: FindReader;
}

/**
 * Unsubscribing and coming back, at two addresses. Looking changes nothing, for scanners follow every link; a POST
 * unsubscribes at once, whether it comes from the page's button or, without cookies, from a mail program (RFC 8058, 3.1 and
 * 3.2: 200, no redirect).
 *
 * `/unsubscribe/:token` is that of the List-Unsubscribe header, which mail scanners and abuse teams hold too: nothing that
 * can be reached from it opens the preferences, so it offers to email a link to them (ADR 17).
 * `/preferences/:token/unsubscribe` is that of the links which readers see; its token opens the preferences already.
 */
export function addUnsubscribePages(web: FastifyInstance, app: AppDeps, deps: Deps): void {
  // The address says all; the body, in whatever form mail programs send it, is read and left.
  web.removeContentTypeParser(["application/json", "text/plain"]);
  web.addContentTypeParser("*", { parseAs: "string", bodyLimit: longestBody }, (_request, _body, done) =>
    done(null, null),
  );
  addPages(web, app, { ...deps, path: "/unsubscribe/:token", purpose: "unsubscribe" });
  addPages(web, app, { ...deps, path: "/preferences/:token/unsubscribe", purpose: "preferences" });
  addSettingsLink(web, app, deps);
}

function addPages(web: FastifyInstance, app: AppDeps, deps: Deps & { path: string; purpose: Purpose }): void {
  const { options } = app;
  const { views, find, path, purpose } = deps;
  const { say } = views.words;
  const show = (
    reply: FastifyReply,
    page: string,
    reader: Subscriber,
    values: { title: string } & Record<string, unknown>,
  ) => views.send(reply, page, { paths: pathsFrom(purpose, options.secret, reader), ...values });

  const showStatus = async (request: LinkRequest, reply: FastifyReply) => {
    const reader = await find(request, purpose);
    if (reader.status === "active" || reader.status === "pending")
      return show(reply, "unsubscribe", reader, { title: say("unsubscribe.title") });
    return show(reply, "unsubscribed", reader, { title: say("unsubscribed.title"), undo: mayUndo(reader) });
  };

  web.get(path, showStatus);

  web.post(path, purpose === "unsubscribe" ? {} : ownOnly, async (request: LinkRequest, reply) => {
    const reader = await find(request, purpose);
    await unsubscribeReader(app, { id: reader.id, actor: null });
    return showStatus(request, reply);
  });

  web.post(`${path}/undo`, ownOnly, async (request: LinkRequest, reply) => {
    const reader = await find(request, purpose);
    await resubscribeReader(app, { id: reader.id, from: request.ip });
    const back = (await find(request, purpose)).status === "active";
    return show(reply, "rejoined", reader, {
      title: back ? say("unsubscribe.back") : say("unsubscribe.cannot"),
      back,
    });
  });
}

/** The link goes to the address on record; the page says the same whether or not a mail was sent. */
function addSettingsLink(web: FastifyInstance, app: AppDeps, { views, find }: Deps): void {
  web.post("/unsubscribe/:token/settings", ownOnly, async (request: LinkRequest, reply) => {
    await requestSettingsLink(app, await find(request, "unsubscribe"));
    return views.send(reply, "settings-sent", { title: views.words.say("inbox.title") });
  });
}

/** Where a page's forms and links lead: never from the header's token to the preferences. */
function pathsFrom(purpose: Purpose, secret: string, reader: Subscriber) {
  const { preferences, unsubscribe: shown, oneClick } = readerPaths(secret, reader);
  return purpose === "unsubscribe"
    ? { unsubscribe: oneClick, settings: `${oneClick}/settings`, preferences: null }
    : { unsubscribe: shown, settings: null, preferences };
}
