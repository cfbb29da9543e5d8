import type { FastifyInstance } from "fastify";
import type { App } from "../../app.ts";
import { listSessions } from "../../operators/sessions.ts";
import type { OperatorViews } from "./scope.ts";

/** `/operator/account`: an operator's own sessions, password and one-time codes. */
export function addAccountPages(scope: FastifyInstance, app: App, views: OperatorViews): void {
  scope.get("/operator/account", { config: { role: "viewer" } }, async (request, reply) => {
    const { operator, id } = request.operatorSession!;
    const sessions = await listSessions(app.db, operator.id, app.clock.now());
    const lines = sessions.map((one) => ({ ...one, own: one.id === id }));
    return views.send(request, reply, "account", { title: "Account", sessions: lines });
  });
}
