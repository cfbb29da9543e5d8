import type { FastifyInstance } from "fastify";
import type { App } from "../../app.ts";
import { openCatalogue } from "../catalogue.ts";
import { openDesk } from "./desk.ts";
import { addEditRoutes } from "./edit.ts";
import { addEditionDesk } from "./edition.ts";
import { addEditionList } from "./editions.ts";
import { addEvents } from "./events.ts";
import type { OperatorViews } from "./scope.ts";
import { addNumbersPage } from "./numbers.ts";
import { addPreviewPage } from "./preview.ts";
import { addReaderDesk } from "./reader.ts";
import { addReadersPage } from "./readers.ts";
import { addSitePage } from "./on-your-site.ts";
import { addSchedulePage } from "./schedule.ts";
import { addSendPage } from "./send.ts";
import { addSourcesPage } from "./sources.ts";
import { addTagsPage } from "./tags.ts";
import { addTodayPage } from "./today.ts";

/** The operators' pages, in a scope of `operatorPages`. */
export function addDeskPages(scope: FastifyInstance, app: App, views: OperatorViews): void {
  const show = openDesk(views);
  const catalogue = openCatalogue(app);
  addTodayPage(scope, app, show);
  addNumbersPage(scope, app, show);
  addSendPage(scope, app, show);
  addEditionList(scope, app, show);
  addEditionDesk(scope, app, show);
  addSchedulePage(scope, app, show);
  addSourcesPage(scope, app, show);
  addTagsPage(scope, app, show);
  addReadersPage(scope, app, show);
  addReaderDesk(scope, app, show);
  addPreviewPage(scope, app, show, catalogue);
  addSitePage(scope, app, show, catalogue);
  addEditRoutes(scope, app);
  addEvents(scope, app, (progress) => views.render("live", { ...progress }));
}
