import type { Command } from "commander";
import { wrongValue } from "../base/errors.ts";
import { parseDates, parseSendAt, parseSendDays, parseTimezone } from "../base/schedule-values.ts";
import type { ScheduleAnswer } from "./answers.ts";
import { dateArgument } from "./arguments.ts";
import { answer, withJson, type Context } from "./context.ts";
import { argument, UsageError } from "./failure.ts";
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
  const schedule = program.command("schedule").description("show and change when editions go out");
  const show = (options: { json?: boolean }, value: ScheduleAnswer): void =>
    answer(terminal, options, value, scheduleText);

  withJson(schedule.command("show").description("show the schedule and the next sends")).action(
    async (options: ScheduleOptions) => show(options, await client().ask("GET", "/schedule")),
  );

  withRevision(schedule.command("set").description("change the hour, the days or the time zone"))
    .option("--at <time>", "local time, HH:MM", argument(parseSendAt))
    .option("--days <days>", "such as mon-fri, or mon,wed,fri", daysArgument)
    .option("--timezone <zone>", "an IANA name, such as Europe/Berlin", argument(parseTimezone))
    .option("--reset", "go back to the server's settings for whatever is not named here")
    .option("--passed <what>", "a date whose new time has passed: send it at once, or skip it", passedArgument)
    .action(async (options: ScheduleOptions) => {
      const { at, days, timezone, reset, passed, revision } = options;
      if (at === undefined && days === undefined && timezone === undefined && !reset) {
        throw new UsageError("Nothing is to be changed: name at least one of --at, --days, --timezone and --reset.");
      }
      const former = reset ? { sendAt: null, sendDays: null, timezone: null } : {};
      const named = {
        ...(at === undefined ? {} : { sendAt: at }),
        ...(days === undefined ? {} : { sendDays: days }),
        ...(timezone === undefined ? {} : { timezone }),
        ...(passed === undefined ? {} : { passed }),
      };
      show(options, await client().ask("PUT", "/schedule", { json: { ...former, ...named, revision } }));
    });

  withJson(schedule.command("skip").description("send no edition on a date, or on each of a list of holidays"))
    .argument("<dates...>", "such as 2026-12-25 2026-12-28..2026-12-31", collectDates)
    .option("--undo", "send one after all")
    .action(async (dates: string[], { undo = false, ...options }: { json?: boolean; undo?: boolean }) =>
      show(options, await client().ask("PUT", "/schedule/skip", { json: { dates, undo } })),
    );

  withRevision(schedule.command("move").description("send the edition of one date at another time"))
    .argument("<date>", "such as 2026-12-24", dateArgument)
    .argument("[time]", "local time, HH:MM", argument(parseSendAt))
    .option("--undo", "send it at the schedule's own time again")
    .action(async (date: string, time: string | undefined, options: ScheduleOptions & { undo?: boolean }) => {
      if ((time === undefined) !== (options.undo ?? false)) {
        throw new UsageError("Name the time at which it is to be sent, or --undo for the schedule's own.");
      }
      const { revision } = options;
      const path = `/schedule/move/${date}`;
      const asked = client();
      show(
        options,
        time === undefined
          ? await asked.ask("DELETE", path, { query: { revision } })
          : await asked.ask("PUT", path, { json: { sendAt: time, revision } }),
      );
    });
}

/** Adds `--revision`, and `--json`. */
function withRevision(command: Command): Command {
  const words = "of the schedule as `schedule show` showed it to you: refused if somebody has changed it since";
  return withJson(command).option("--revision <revision>", words);
}

function collectDates(raw: string, before: string[] = []): string[] {
  return [...before, ...argument(parseDates)(raw)];
}

const passedArgument = argument((raw) => {
  if (raw === "send" || raw === "skip") return raw;
  throw wrongValue(raw, "what is to become of a date whose new time has passed; expected send or skip");
});

/** Checked here, and sent as it was written. */
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
    next.length === 0 ? "No date is left to send on." : "Next:",
    ...next.map((send) => `  ${sendLine(send, timezone)}`),
  ].join("\n");
}
