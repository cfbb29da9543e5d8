import { changeMove, changeSchedule, changeSkips } from "../../editions/change-schedule.ts";
import { type EffectiveSchedule, loadSchedule } from "../../schedule/store.ts";
import { z } from "zod";
import type { App } from "../../app.ts";
import { comingSends } from "../../alerts/status.ts";
import { parseDate, parseDates, parseSendAt, parseSendDays, parseTimezone } from "../../base/schedule-values.ts";
import { problems, scheduleSchema, showSchedule } from "./shapes.ts";
import type { ApiServer } from "./server.ts";

type AppDeps = Pick<App, "options" | "clock" | "log" | "trace" | "db" | "queues" | "wake" | "gather">;

const revision = z
  .string()
  .max(100)
  .optional()
  .describe("Revision that you saw; the response is 409 if the schedule has changed since");
const change = z.strictObject({
  timezone: z.string().max(100).nullish(),
  sendAt: z.string().max(100).nullish().describe("Local time, `HH:MM`"),
  sendDays: z.string().max(100).nullish().describe("For example `mon-fri` or `mon,wed,fri`"),
  passed: z
    .enum(["send", "skip"])
    .optional()
    .describe("What to do with a date whose new time has already passed: send the edition now, or skip it"),
  revision,
});
const skipBody = z.strictObject({
  dates: z.array(z.string().max(100)).min(1).max(400).describe("For example `2026-12-25` or `2026-12-24..2026-12-26`"),
  undo: z.boolean().default(false),
});
const moveBody = z.strictObject({
  sendAt: z.string().max(100).describe("Local time for this date only, `HH:MM`"),
  revision,
});
const dateParams = z.object({ date: z.string() });

export function addScheduleRoutes(server: ApiServer, app: AppDeps): void {
  const { db, clock } = app;
  const tags = ["schedule"];
  const response = { 200: scheduleSchema, ...problems };
  const show = async (schedule: EffectiveSchedule): Promise<z.input<typeof scheduleSchema>> =>
    showSchedule(schedule, await comingSends(db, clock.now(), schedule));

  server.get(
    "/schedule",
    { config: { role: "viewer" }, schema: { summary: "Get the schedule", tags, response } },
    async () => show(await loadSchedule(db)),
  );

  server.put(
    "/schedule",
    {
      config: { role: "editor" },
      schema: {
        summary: "Change the schedule",
        description:
          "Omitted fields stay the same, and null restores the server's setting. If the new time of an announced date has already passed, the response is 409 unless `passed` is set.",
        tags,
        body: change,
        response,
      },
    },
    async ({ body, actor }) => {
      const parsed = {
        ...given("timezone", body.timezone, parseTimezone),
        ...given("sendAt", body.sendAt, parseSendAt),
        ...given("sendDays", body.sendDays, parseSendDays),
      };
      const { passed, revision: seen } = body;
      return show(await changeSchedule(app, parsed, { actor, passed, revision: seen }));
    },
  );

  server.put(
    "/schedule/skip",
    {
      config: { role: "editor" },
      schema: {
        summary: "Skip dates, or undo that",
        description: "Changes all of the dates or none.",
        tags,
        body: skipBody,
        response,
      },
    },
    async ({ body, actor }) =>
      show(await changeSkips(app, { dates: body.dates.flatMap(parseDates), skip: !body.undo, actor })),
  );

  server.put(
    "/schedule/skip/:date",
    {
      config: { role: "editor" },
      schema: { summary: "Skip a date", tags, params: dateParams, response },
    },
    async ({ params, actor }) => show(await changeSkips(app, { dates: [parseDate(params.date)], skip: true, actor })),
  );

  server.delete(
    "/schedule/skip/:date",
    { config: { role: "editor" }, schema: { summary: "Undo skipping a date", tags, params: dateParams, response } },
    async ({ params, actor }) => show(await changeSkips(app, { dates: [parseDate(params.date)], skip: false, actor })),
  );

  const moveSchema = { tags, params: dateParams, response };
  server.put(
    "/schedule/move/:date",
    {
      config: { role: "editor" },
      schema: { ...moveSchema, summary: "Send one date's edition at another time", body: moveBody },
    },
    async ({ params, body, actor }) =>
      show(
        await changeMove(app, {
          date: parseDate(params.date),
          sendAt: parseSendAt(body.sendAt),
          actor,
          revision: body.revision,
        }),
      ),
  );

  server.delete(
    "/schedule/move/:date",
    {
      config: { role: "editor" },
      schema: {
        ...moveSchema,
        summary: "Use the schedule's time for a date again",
        querystring: z.strictObject({ revision }),
      },
    },
    async ({ params, query, actor }) =>
      show(await changeMove(app, { date: parseDate(params.date), sendAt: null, actor, revision: query.revision })),
  );
}

/** Omits undefined, keeps null, and parses everything else. */
function given<K extends string, T>(
  name: K,
  raw: string | null | undefined,
  parse: (raw: string) => T,
): { [N in K]?: T | null } {
  return raw === undefined ? {} : ({ [name]: raw === null ? null : parse(raw) } as { [N in K]: T | null });
}
