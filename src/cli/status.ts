import type { Command } from "commander";
import type { StatusAnswer } from "../web/api/answers.ts";
import { answer, withJson, type Context } from "./context.ts";
import { facts } from "./table.ts";
import { moment, plural } from "./format.ts";

export function addStatus(program: Command, { terminal, client }: Context): void {
  withJson(program.command("status").description("show the current status")).action(
    async (options: { json?: boolean }) => {
      answer(terminal, options, await client().request<StatusAnswer>("GET", "/status"), statusText);
    },
  );
}

export function statusText(status: StatusAnswer): string {
  const { subscribers, questions, sources, latest, schedule, engines, transport } = status;
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
      "Asked readers",
      questions.asked + questions.pausedReaders === 0
        ? null
        : `${questions.asked} in 12 months: ${questions.kept} kept, ${questions.unsubscribed} unsubscribed, ` +
          `${questions.paused} paused, ${questions.open} not answered yet; ${questions.pausedReaders} paused now`,
    ],
    [
      "Next edition",
      first ? `${moment(first.at, schedule.timezone)}${first.note === null ? "" : `. ${first.note}`}` : "none",
    ],
    ["Waiting", plural(status.waiting, "article")],
    ["Latest edition", latest ? `${latest.name} ${latest.state}: ${latest.sentence}` : "none yet"],
    ["Reason", latest?.reason ?? null],
    [
      "Relay",
      transport.reason === null ? null : `${quota(transport.quota)}${transport.reason}${pause(transport.pausedUntil)}`,
    ],
    ["Rate", transport.slowed ? `${rate(transport.rate)}, because the relay asked for fewer emails` : null],
  ]);
}

const quotas = {
  hour: "hourly sending quota used up",
  day: "daily sending quota used up",
  account: "sending quota used up",
};

function quota(period: keyof typeof quotas | null): string {
  return period === null ? "" : `${quotas[period]}: `;
}

function rate(perSecond: number | null): string {
  return `${(perSecond ?? 0).toFixed(1).replace(/\.0$/, "")} emails per second`;
}

function pause(until: string | null): string {
  return until === null ? "" : `; sending is paused until ${moment(until)}`;
}
