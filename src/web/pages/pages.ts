import type { FastifyInstance } from "fastify";
import type { App } from "../../app.ts";
import type { Views } from "../views.ts";
import { addEditionPages } from "./editions.ts";
import { addFrontPage } from "./front.ts";
import { addOutboxPages } from "./outbox.ts";
import { findReader } from "./reader.ts";
import { addPreferencesPages } from "./preferences.ts";
import { addUnsubscribePages } from "./unsubscribe.ts";

/** The pages for readers, and the outbox of a server that sends nothing yet. */
export function addPages(web: FastifyInstance, app: App, views: Views): void {
  addFrontPage(web, app, views);
  addEditionPages(web, app, views);
  web.register(async (personal) => {
    personal.addHook("onRequest", async (_request, reply) => void reply.header("cache-control", "no-store"));
    const find = findReader(personal, app);
    addPreferencesPages(personal, app, { views, find });
    addUnsubscribePages(personal, app, { views, find });
    if (app.config.embedded.mail) addOutboxPages(personal, app, views);
  });
}
