import type { Command } from "commander";
import { parseDates, parseSendAt, parseSendDays, parseTimezone } from "../base/schedule-values.ts";
import type { ScheduleAnswer } from "../web/api/answers.ts";
import { dateArgument } from "./arguments.ts";
import { answer, withJson, type Context } from "./context.ts";
import { argument, invalidValue, UsageError } from "./failure.ts";
import { facts } from "./table.ts";
import { sendLine } from "./format.ts";

interface ScheduleOptions {
  json?: boolean;
  at?: string;
  days?: string;
  timezone?: string;
  reset?: boolean;
  passed?: "send" | "skip";
  revision?: string;
}

export function addSchedule(program: Command, { terminal, client }: Context): void {
  const schedule = program.command("schedule").description("show and change the schedule");
  const show = (options: { json?: boolean }, value: ScheduleAnswer): void =>
    answer(terminal, options, value, scheduleText);

  withJson(schedule.command("show").description("show the schedule and the next sends")).action(
    async (options: ScheduleOptions) => show(options, await client().request("GET", "/schedule")),
  );

  withRevision(schedule.command("set").description("change the delivery time, the days or the time zone"))
    .option("--at <time>", "local time, HH:MM", argument(parseSendAt))
    .option("--days <days>", "such as mon-fri or mon,wed,fri", daysArgument)
    .option("--timezone <zone>", "IANA name, such as Europe/Berlin", argument(parseTimezone))
    .option("--reset", "use the server's settings for everything that you don't set with another option")
    .option(
      "--passed <what>",
      "what to do with today's edition if its new time has already passed: send or skip",
      passedArgument,
    )
    .action(async (options: ScheduleOptions) => {
      const { at, days, timezone, reset, passed, revision } = options;
      if (at === undefined && days === undefined && timezone === undefined && !reset) {
        throw new UsageError("Nothing to change. Specify at least one of --at, --days, --timezone and --reset.");
      }
      const former = reset ? { sendAt: null, sendDays: null, timezone: null } : {};
      const named = {
        ...(at === undefined ? {} : { sendAt: at }),
        ...(days === undefined ? {} : { sendDays: days }),
        ...(timezone === undefined ? {} : { timezone }),
        ...(passed === undefined ? {} : { passed }),
      };
      show(options, await client().request("PUT", "/schedule", { json: { ...former, ...named, revision } }));
    });

  withJson(schedule.command("skip").description("skip the editions of one or more dates"))
    .argument("<dates...>", "such as 2026-12-25 2026-12-28..2026-12-31", collectDates)
    .option("--undo", "send the editions after all")
    .action(async (dates: string[], { undo = false, ...options }: { json?: boolean; undo?: boolean }) =>
      show(options, await client().request("PUT", "/schedule/skip", { json: { dates, undo } })),
    );

  withRevision(schedule.command("move").description("send one date's edition at another time"))
    .argument("<date>", "such as 2026-12-24", dateArgument)
    .argument("[time]", "local time, HH:MM", argument(parseSendAt))
    .option("--undo", "use the schedule's time again")
    .action(async (date: string, time: string | undefined, options: ScheduleOptions & { undo?: boolean }) => {
      if ((time === undefined) !== (options.undo ?? false)) {
        throw new UsageError("Specify either the new time, or --undo to use the schedule's time again.");
      }
      const { revision } = options;
      const path = `/schedule/move/${date}`;
      const server = client();
      show(
        options,
        time === undefined
          ? await server.request("DELETE", path, { query: { revision } })
          : await server.request("PUT", path, { json: { sendAt: time, revision } }),
      );
    });
}

/** Adds `--revision`, and `--json`. */
function withRevision(command: Command): Command {
  const words = "revision from `schedule show`; refused if the schedule has changed since";
  return withJson(command).option("--revision <revision>", words);
}

function collectDates(raw: string, before: string[] = []): string[] {
  return [...before, ...argument(parseDates)(raw)];
}

function passedArgument(raw: string): "send" | "skip" {
  if (raw === "send" || raw === "skip") return raw;
  throw invalidValue(raw, "a value for --passed", "Use send or skip.");
}

/** Validated here, but sent unchanged. */
const daysArgument = (raw: string): string => {
  argument(parseSendDays)(raw);
  return raw;
};

export function scheduleText(schedule: ScheduleAnswer): string {
  const { timezone, sendAt, sendDays, skipped, moved, next, revision } = schedule;
  const everyDay = sendDays.split(",").length === 7;
  return [
    facts([
      ["Time", `${sendAt} (${timezone})`],
      ["Days", everyDay ? "every day" : sendDays.replaceAll(",", ", ")],
      ["Skipped", skipped.length === 0 ? "none" : skipped.join(", ")],
      ["Moved", moved.length === 0 ? null : moved.map((one) => `${one.date} to ${one.sendAt}`).join(", ")],
      ["Revision", revision],
    ]),
    "",
    next.length === 0 ? "The schedule has no more dates." : "Next:",
    ...next.map((send) => `  ${sendLine(send, timezone)}`),
  ].join("\n");
}
