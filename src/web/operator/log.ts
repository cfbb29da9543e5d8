import type { FastifyInstance } from "fastify";
import type { App } from "../../app.ts";
import { listAudit } from "../../audit/audit.ts";
import { readFields } from "../pages/fields.ts";
import { utcMinute } from "./format.ts";
import type { OperatorViews } from "./dashboard.ts";
import { englishWording } from "../../texts/catalogue.ts";

const { say } = englishWording();

const pageSize = 50;

/** `/operator/log`: who did what, when, and from where. */
export function addLogPage(scope: FastifyInstance, app: Pick<App, "db">, views: OperatorViews): void {
  scope.get("/operator/log", { config: { role: "viewer" } }, async (request, reply) => {
    const before = readFields(request.query).one("before");
    const lines = await listAudit(app.db, {
      limit: pageSize,
      ...(/^\d{1,15}$/.test(before) ? { before: Number(before) } : {}),
    });
    return views.send(request, reply, "log", {
      title: say("title.log"),
      lines: lines.map(({ at, detail, ...line }) => ({ ...line, at: utcMinute(at), detail: detailText(detail) })),
      more: lines.length === pageSize ? `/operator/log?before=${lines.at(-1)!.id}` : null,
    });
  });
}

/** `affected: 3, date: 2026-11-24`. Nested values stay JSON. */
function detailText(detail: Record<string, unknown>): string {
  return Object.entries(detail)
    .map(([name, value]) => `${name}: ${typeof value === "string" ? value : JSON.stringify(value)}`)
    .join(", ");
}
