import { englishWording } from "../../texts/catalogue.ts";
import { z } from "zod";
import type { App } from "../../app.ts";
import { status } from "../../alerts/status.ts";
import {
  problems,
  editionStatusSchema,
  scheduleSchema,
  showEditionStatus,
  showSchedule,
  showSource,
  sourceSchema,
} from "./shapes.ts";
import type { ApiServer } from "./server.ts";

type AppDeps = Pick<App, "config" | "clock" | "db" | "transport">;

export const statusSchema = z.object({
  publication: z.string(),
  engines: z.object({
    records: z.enum(["embedded", "postgres"]),
    queue: z.enum(["embedded", "postgres", "redis"]),
    mail: z.enum(["outbox", "smtp"]),
  }),
  schedule: scheduleSchema,
  latest: editionStatusSchema.nullable(),
  sources: z.object({ total: z.int(), unhealthy: z.array(sourceSchema) }),
  subscribers: z.object({ pending: z.int(), active: z.int(), unsubscribed: z.int(), suppressed: z.int() }),
  questions: z
    .object({
      asked: z.int(),
      open: z.int().describe("Not answered yet"),
      kept: z.int(),
      unsubscribed: z.int(),
      paused: z.int().describe("Not answered within 30 days"),
      dropped: z.int().describe("Not sent, or the cause was gone"),
      pausedReaders: z.int().describe("Active readers who are paused now because they did not answer"),
    })
    .describe("Readers who were asked in the last 12 months whether they still want the emails"),
  waiting: z.int().describe("Articles waiting for the next edition"),
  transport: z.object({
    open: z.int(),
    busy: z.int(),
    pausedUntil: z.date().nullable(),
    reason: z.string().nullable(),
    quota: z.enum(["hour", "day", "account"]).nullable().describe("The relay's sending quota that is used up"),
    rate: z.number().nullable().describe("Emails per second that all workers may send together; null for no limit"),
    slowed: z
      .boolean()
      .describe("Whether the rate is lower than in the settings because the relay asked for fewer emails"),
  }),
});

export function addStatusRoutes(server: ApiServer, app: AppDeps): void {
  server.get(
    "/status",
    {
      config: { role: "viewer" },
      schema: { summary: "Get the current status", tags: ["status"], response: { 200: statusSchema, ...problems } },
    },
    async () => {
      const { schedule, next, latest, sources, transport, ...rest } = await status(app);
      return {
        ...rest,
        transport: { ...transport, reason: transport.reason && englishWording().text(transport.reason) },
        schedule: showSchedule(schedule, next),
        latest: latest && showEditionStatus(latest),
        sources: { total: sources.total, unhealthy: sources.unhealthy.map(showSource) },
      };
    },
  );
}
