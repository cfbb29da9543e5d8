import { alertInWords } from "../../texts/alerts.ts";
import type { FastifyInstance } from "fastify";
import type { App } from "../../app.ts";
import { type Alert, listAlerts } from "../../alerts/store.ts";
import { loadSchedule } from "../../schedule/store.ts";
import { englishOf, englishWording } from "../../texts/catalogue.ts";
import { needs, type Show } from "./dashboard.ts";
import { shortMoment } from "./format.ts";

const { say } = englishWording();

const shown = 200;

/** `/operator/alerts`: active alerts, and the past ones of the last 90 days. */
export function addAlertsPage(web: FastifyInstance, app: Pick<App, "config" | "db">, show: Show): void {
  web.get("/operator/alerts", needs.viewer, async (request, reply) => {
    const [alerts, { timezone }] = await Promise.all([listAlerts(app.db, shown), loadSchedule(app.db)]);
    const language = englishOf(app.config.language);
    const at = (instant: Date): string => shortMoment(instant, timezone, language);
    const showAlert = (alert: Alert) => ({
      sentence: alertInWords(alert),
      since: at(alert.notifiedAt ?? alert.seenAt),
      cleared: alert.clearedAt && at(alert.clearedAt),
    });
    return show(
      request,
      reply,
      { name: "alerts", title: say("title.alerts"), place: "today" },
      {
        timezone,
        active: alerts.filter(({ clearedAt }) => clearedAt === null).map(showAlert),
        past: alerts.filter(({ clearedAt }) => clearedAt !== null).map(showAlert),
        addressed: app.config.alertMail.length > 0 || app.config.alertWebhook !== null,
      },
    );
  });
}
