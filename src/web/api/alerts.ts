import { z } from "zod";
import { listAlerts } from "../../operations/alerts/store.ts";
import { alertKinds } from "../../operations/alerts/conditions.ts";
import { testAlerts } from "../../operations/alerts/watch.ts";
import type { App } from "../../app.ts";
import { Refusal } from "../../base/errors.ts";
import { writeAudit } from "../../audit/audit.ts";
import { limit, problems } from "./schemas.ts";
import type { ApiServer } from "./server.ts";

const alertSchema = z
  .object({
    id: z.int(),
    kind: z.enum(alertKinds),
    subject: z.string().describe("What the alert is about, for example `edition 12`"),
    sentence: z.string(),
    toldAt: z.date(),
    clearedAt: z.date().nullable().describe("null while the alert is active"),
  })
  .meta({ id: "Alert" });

export function addAlertRoutes(server: ApiServer, app: App): void {
  const tags = ["alerts"];

  server.get(
    "/alerts",
    {
      config: { role: "viewer" },
      schema: {
        summary: "List alerts, active ones first, then the newest",
        tags,
        querystring: z.strictObject({ limit: limit(30) }),
        response: { 200: z.object({ alerts: z.array(alertSchema) }), ...problems },
      },
    },
    async ({ query }) => {
      const alerts = await listAlerts(app.db, query.limit);
      return { alerts: alerts.map(({ seenAt, toldAt, ...alert }) => ({ ...alert, toldAt: toldAt ?? seenAt })) };
    },
  );

  server.post(
    "/alerts/test",
    {
      config: { role: "owner" },
      schema: {
        summary: "Send a test alert to the configured addresses and webhook",
        tags,
        response: {
          200: z.object({
            mails: z.int(),
            calls: z.int().describe("1 if a webhook is set, even if it does not answer"),
          }),
          ...problems,
        },
      },
    },
    async ({ actor }) => {
      await app.caps.countTest(actor);
      const told = await testAlerts(app);
      if (told.mails + told.calls === 0) {
        throw new Refusal(409, "Nobody would hear of an alert: set ALERT_MAIL or ALERT_WEBHOOK first.");
      }
      await writeAudit(app.db, { at: app.clock.now(), actor, action: "alert test", subject: "alerts", detail: told });
      return told;
    },
  );
}
