import type { FastifyInstance } from "fastify";
import type { App } from "../../app.ts";
import { refuseForeignPost } from "../abuse/guard.ts";
import { type Catalogue, openScheduleNow } from "../tag-cache.ts";
import type { Views } from "../views.ts";
import { addConfirmPages } from "./confirm.ts";
import { addEditionPages } from "./editions.ts";
import { addFeed } from "./feed.ts";
import { addFrontPage } from "./front.ts";
import { addKeepPage } from "./keep.ts";
import { addOutboxPages } from "./outbox.ts";
import { addPersonalPages } from "./personal.ts";
import { addPreferencesPages } from "./preferences.ts";
import { findReader, limitMadeUpLinks } from "./reader.ts";
import { addSamplePages } from "./sample.ts";
import { addSubscribePages, openSignupForm } from "./subscribe.ts";
import { addTagPages } from "./tag.ts";
import { addTimezonePages } from "./timezone.ts";
import { addUnsubscribePages } from "./unsubscribe.ts";

type AppDeps = Pick<
  App,
  "config" | "options" | "clock" | "log" | "db" | "wake" | "transport" | "caps" | "publication" | "mayMail" | "samples"
>;

/** The pages for readers, and the outbox of a server that sends nothing yet. */
export function addPages(
  web: FastifyInstance,
  app: AppDeps,
  { views, catalogue }: { views: Views; catalogue: () => Promise<Catalogue> },
): void {
  const schedule = openScheduleNow(app);
  const form = openSignupForm(app, { catalogue, schedule, words: views.words });
  addFrontPage(web, app, { views, form });
  addSubscribePages(web, app, { views, form, catalogue, schedule });
  addEditionPages(web, app, views);
  addFeed(web, app, views.words);
  addTagPages(web, app, { views, catalogue });
  addSamplePages(web, app, { views, catalogue });
  web.register(async (personal) => {
    personal.addHook("onRequest", async (_request, reply) => void reply.header("cache-control", "no-store"));
    const countFailure = limitMadeUpLinks(personal);
    const find = findReader(countFailure, app);
    personal.register(async (forms) => {
      forms.addHook("onRequest", async (request) => refuseForeignPost(request));
      addConfirmPages(forms, app, { views, countFailure });
      addPreferencesPages(forms, app, { views, find, catalogue, schedule });
      addTimezonePages(forms, app, { views, find, schedule });
      addPersonalPages(forms, app, { views, find });
      addKeepPage(forms, app, { views, find });
    });
    addUnsubscribePages(personal, app, { views, find });
    if (app.config.embedded.mail) addOutboxPages(personal, app, views);
  });
}
