import type { Command } from "commander";
import type { StatusAnswer } from "./answers.ts";
import { answer, withJson, type Context } from "./context.ts";
import { facts } from "./table.ts";
import { moment, plural } from "./format.ts";

export function addStatus(program: Command, { terminal, client }: Context): void {
  withJson(program.command("status").description("show the current status")).action(
    async (options: { json?: boolean }) => {
      answer(terminal, options, await client().ask<StatusAnswer>("GET", "/status"), statusText);
    },
  );
}

export function statusText(status: StatusAnswer): string {
  const { subscribers, sources, latest, schedule, engines, transport } = status;
  const unhealthy = sources.unhealthy.map((source) => source.title ?? `source ${source.id}`).join(", ");
  const first = schedule.next[0];
  return facts([
    ["Publication", status.publication],
    ["Engines", `records ${engines.records}, queue ${engines.queue}, email ${engines.mail}`],
    ["Sources", `${sources.total}${unhealthy === "" ? "" : `, unhealthy: ${unhealthy}`}`],
    [
      "Subscribers",
      `${subscribers.active} active, ${subscribers.pending} pending, ${subscribers.unsubscribed} unsubscribed, ` +
        `${subscribers.suppressed} suppressed`,
    ],
    [
      "Next edition",
      first ? `${moment(first.at, schedule.timezone)}${first.note === null ? "" : `. ${first.note}`}` : "none",
    ],
    ["Waiting", plural(status.waiting, "article")],
    ["Latest edition", latest ? `${latest.name} ${latest.state}: ${latest.sentence}` : "none yet"],
    ["Reason", latest?.reason ?? null],
    ["Relay", transport.reason === null ? null : `${transport.reason}${pause(transport.pausedUntil)}`],
  ]);
}

function pause(until: string | null): string {
  return until === null ? "" : `; sending is paused until ${moment(until)}`;
}
