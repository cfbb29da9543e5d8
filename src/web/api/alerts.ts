import { alertInWords } from "../../texts/alerts.ts";
import { z } from "zod";
import { listAlerts } from "../../alerts/store.ts";
import { alertKinds } from "../../alerts/conditions.ts";
import { sendTestAlert } from "../../alerts/send-test.ts";
import type { App } from "../../app.ts";
import { limit, problems } from "./shapes.ts";
import type { ApiServer } from "./server.ts";

type AppDeps = Pick<App, "options" | "clock" | "log" | "db" | "wake" | "transport" | "callLedger" | "caps">;

export const alertSchema = z
  .object({
    id: z.int(),
    kind: z.enum(alertKinds),
    subject: z.string().describe("What the alert is about, for example `edition 12`"),
    sentence: z.string(),
    data: z.record(z.string(), z.unknown()).describe("The values in the sentence, which depend on the kind"),
    notifiedAt: z.date(),
    clearedAt: z.date().nullable().describe("null while the alert is active"),
  })
  .meta({ id: "Alert" });

export function addAlertRoutes(server: ApiServer, app: AppDeps): void {
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
      return {
        alerts: alerts.map(({ seenAt, notifiedAt, ...alert }) => ({
          ...alert,
          data: { ...alert.data },
          sentence: alertInWords(alert),
          notifiedAt: notifiedAt ?? seenAt,
        })),
      };
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
    ({ actor }) => sendTestAlert(app, actor),
  );
}
