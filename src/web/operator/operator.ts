import type { FastifyInstance } from "fastify";
import type { App } from "../../app.ts";
import type { Views } from "../views.ts";
import { addAccountPages } from "./account.ts";
import { openDesk } from "./desk.ts";
import { addDeskPages } from "./desk-pages.ts";
import { addLogPage } from "./log.ts";
import { addPeoplePage } from "./operators.ts";
import { addQueueBoard } from "./queues.ts";
import { operatorPages } from "./scope.ts";
import { addSetupPages } from "./setup.ts";
import { addSignInPages } from "./sign-in.ts";
import { addSetupSteps } from "./steps.ts";

/** All pages below `/operator`. */
export function addOperator(scope: FastifyInstance, app: App, views: Views): void {
  const operatorViews = operatorPages(scope, app, views);
  addSetupPages(scope, app, operatorViews);
  addSetupSteps(scope, app, openDesk(operatorViews));
  addSignInPages(scope, app, operatorViews);
  addAccountPages(scope, app, operatorViews);
  addPeoplePage(scope, app, operatorViews);
  addLogPage(scope, app, operatorViews);
  addDeskPages(scope, app, operatorViews);
  addQueueBoard(scope, app);
}
