import type { FastifyInstance } from "fastify";
import type { Views } from "../views.ts";
import { addAccountPages } from "./account.ts";
import { openDashboard, operatorPages, type OperatorViews } from "./dashboard.ts";
import { addAlertsPage } from "./alerts.ts";
import { addLogPage } from "./log.ts";
import { addPeoplePage } from "./operators.ts";
import { addQueueBoard } from "./queues.ts";
import { addSetupPages } from "./setup-link.ts";
import { addSignInPages } from "./session.ts";
import { addSetupSteps } from "./setup.ts";
import { addSettingsPage } from "./settings.ts";
import { openCatalogue } from "../tag-cache.ts";
import { addEditionPage, addEditionList } from "./editions.ts";
import { addEvents } from "./live.ts";
import { addNumbersPage } from "./numbers.ts";
import { addPreviewPage } from "./preview.ts";
import { addProvidersPage } from "./providers.ts";
import { addRelayPage } from "./relay.ts";
import { addReaderPage } from "./reader.ts";
import { addReadersPage } from "./readers.ts";
import { addSitePage } from "./site.ts";
import { addSchedulePage } from "./schedule.ts";
import { addSendPage } from "./send.ts";
import { addSourcesPage } from "./sources.ts";
import { addSuppressionsPage } from "./suppressions.ts";
import { addTagsPage } from "./tags.ts";
import { addTodayPage } from "./today.ts";

/** Pages that need only the app and the frame around them. */
const pages = [
  addTodayPage,
  addAlertsPage,
  addProvidersPage,
  addRelayPage,
  addNumbersPage,
  addSendPage,
  addEditionList,
  addEditionPage,
  addSchedulePage,
  addSourcesPage,
  addTagsPage,
  addReadersPage,
  addReaderPage,
  addSuppressionsPage,
  addSettingsPage,
];

type Part =
  | (typeof pages)[number]
  | typeof operatorPages
  | typeof addSetupPages
  | typeof addSetupSteps
  | typeof addSignInPages
  | typeof addAccountPages
  | typeof addPeoplePage
  | typeof addLogPage
  | typeof addQueueBoard
  | typeof addPreviewPage
  | typeof addSitePage
  | typeof addEvents;

/** What the pages need between them. */
type AppDeps = Part extends (scope: never, app: infer Deps, ...rest: never[]) => unknown ? Deps : never;

/** All pages below `/operator`. */
export function addOperator(scope: FastifyInstance, app: AppDeps, views: Views): void {
  const operatorViews = operatorPages(scope, app, views);
  addSetupPages(scope, app, operatorViews);
  addSetupSteps(scope, app, openDashboard(operatorViews));
  addSignInPages(scope, app, operatorViews);
  addAccountPages(scope, app, operatorViews);
  addPeoplePage(scope, app, operatorViews);
  addLogPage(scope, app, operatorViews);
  addDashboardPages(scope, app, operatorViews);
  addQueueBoard(scope, app);
}

/** The operators' pages, in a scope of `operatorPages`. */
function addDashboardPages(scope: FastifyInstance, app: AppDeps, views: OperatorViews): void {
  const show = openDashboard(views);
  const catalogue = openCatalogue(app);
  for (const add of pages) add(scope, app, show);
  addPreviewPage(scope, app, show, catalogue);
  addSitePage(scope, app, show, catalogue);
  addEvents(scope, app, (progress) => views.render("live", { ...progress }));
}
