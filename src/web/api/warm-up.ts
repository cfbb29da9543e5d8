import { z } from "zod";
import type { App } from "../../app.ts";
import { warmUpStatus } from "../../deliveries/warm-up-rooms.ts";
import { limit, problems } from "./shapes.ts";
import type { ApiServer } from "./server.ts";

export const warmUpSchema = z
  .object({
    state: z.enum(["off", "waiting", "running", "over"]).describe("`waiting`: the start is in the future"),
    start: z.iso.date().nullable(),
    schedule: z.array(z.int()).describe("Maximum number of readers at each provider on each day of the warm-up"),
    date: z.iso.date().nullable().describe("The current date of the warm-up: today, or the next date with an edition"),
    day: z.int().nullable().describe("1 for the first day. Only days on which emails were sent count"),
    cap: z.int().nullable().describe("Maximum number of readers at each provider on this date"),
    hours: z.int().nullable().describe("Number of hours over which each provider gets its emails of an edition"),
    planned: z
      .array(z.object({ date: z.iso.date(), cap: z.int().nullable().describe("null for no limit") }))
      .describe("The expected dates until the end of the warm-up"),
    providers: z
      .array(
        z.object({
          name: z.string().describe("A large provider, such as `google`, or a receiving domain"),
          readers: z.int().describe("Active subscribers"),
          sent: z.int().describe("Readers within the limit, who get an edition of this date"),
          leftOut: z.int().describe("Deliveries of this date that the warm-up skipped"),
          servedFrom: z.iso
            .date()
            .nullable()
            .describe("First date on which all its readers are expected to get emails"),
        }),
      )
      .describe("Those with the most readers first"),
  })
  .meta({ id: "WarmUp" });

export function addWarmUpRoutes(server: ApiServer, app: Pick<App, "db" | "clock" | "options">): void {
  server.get(
    "/warm-up",
    {
      config: { role: "viewer" },
      schema: {
        summary: "Get the warm-up of a new sender: its day, its limits, and who is skipped",
        tags: ["providers"],
        querystring: z.strictObject({ limit: limit(30) }),
        response: { 200: warmUpSchema, ...problems },
      },
    },
    async ({ query }) => {
      const { current, providers, ...status } = await warmUpStatus(app, query.limit);
      return {
        ...status,
        schedule: [...status.schedule],
        date: current?.date ?? null,
        day: current?.day ?? null,
        cap: current?.cap ?? null,
        hours: current?.hours ?? null,
        planned: current?.planned ?? [],
        providers: providers.map(({ provider: name, ...one }) => ({ name, ...one })),
      };
    },
  );
}
