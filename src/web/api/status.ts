import { z } from "zod";
import type { App } from "../../app.ts";
import { status } from "../../operations/status.ts";
import { problems } from "./schemas.ts";
import type { ApiServer } from "./server.ts";
import {
  editionStatusSchema,
  scheduleSchema,
  showEditionStatus,
  showSchedule,
  showSource,
  sourceSchema,
} from "./shapes.ts";

const statusSchema = z.object({
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
  waiting: z.int().describe("Articles that wait for the next edition"),
  transport: z.object({
    open: z.int(),
    busy: z.int(),
    pausedUntil: z.date().nullable(),
    reason: z.string().nullable(),
  }),
});

export function addStatusRoutes(server: ApiServer, app: App): void {
  server.get(
    "/status",
    {
      config: { role: "viewer" },
      schema: { summary: "Get the current status", tags: ["status"], response: { 200: statusSchema, ...problems } },
    },
    async () => {
      const { schedule, next, latest, sources, ...rest } = await status(app);
      return {
        ...rest,
        schedule: showSchedule(schedule, next),
        latest: latest && showEditionStatus(latest),
        sources: { total: sources.total, unhealthy: sources.unhealthy.map(showSource) },
      };
    },
  );
}
