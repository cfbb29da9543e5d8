import { setTimeout as wait } from "node:timers/promises";
import type { Command } from "commander";
import { editionActions, type EditionAction } from "../editions/state.ts";
import type { ActedAnswer, EditionAnswer, EditionDetailAnswer, ListedEditionAnswer } from "../web/api/answers.ts";
import { collect, dateArgument, editionArgument, limitArgument } from "./arguments.ts";
import { answer, withJson, type Context } from "./context.ts";
import { addCheckLinks } from "./check-links.ts";
import { addDeliveries } from "./deliveries.ts";
import { addEditionEdit } from "./edition-edit.ts";
import { actedText, editionsText, editionText, unknownText } from "./edition-text.ts";
import { UsageError, exitCodes } from "./failure.ts";
import type { SetExitCode } from "./program.ts";
import type { Client } from "./client.ts";
import { startProgress, type Terminal } from "./terminal.ts";

interface JsonOption {
  json?: boolean;
}

const doing: Record<EditionAction, string> = {
  approve: "send a held edition",
  pause: "pause sending an edition",
  resume: "resume sending a paused edition",
  cancel: "stop an edition permanently; unsent emails stay unsent",
  retry: "resend rejected and expired deliveries",
  "resend-unknown": "resend deliveries whose reply from the relay was lost; readers may get a second copy",
  unsuppress:
    "remove the suppressions that this edition's rejected and bounced emails caused; `retry` then resends the rejected ones",
};

export function addEdition(program: Command, context: Context, setExitCode: SetExitCode): void {
  const { terminal, client } = context;
  const edition = program.command("edition").description("list, show, preview, edit, send and stop editions");

  withJson(edition.command("list").description("list the newest editions"))
    .option("--limit <number>", "maximum number to show", limitArgument, 30)
    .action(async ({ limit, ...options }: JsonOption & { limit: number }) => {
      const list = await client().request<{ editions: ListedEditionAnswer[] }>("GET", "/editions", {
        query: { limit },
      });
      answer(terminal, options, list, (value) => editionsText(value.editions, terminal.columns));
    });

  withJson(edition.command("show").description("show an edition's articles, balance and unknown deliveries"))
    .argument("[edition]", "such as 2026-11-24 or 2026-11-24.2; the newest if omitted", editionArgument)
    .action(async (name: string | undefined, options: JsonOption) => {
      const server = client();
      const shown = await server.request<EditionDetailAnswer>("GET", `/editions/${name ?? (await newest(context))}`);
      answer(terminal, options, shown, editionText);
      if (!options.json && shown.balance.unknown > 0) terminal.out(await unknownText(server, shown.name));
    });

  addDeliveries(edition, context);

  edition
    .command("preview")
    .description("print a sample copy without sending anything")
    .argument("[edition]", "such as 2026-11-24; the next edition if omitted", editionArgument)
    .option("--tag <tag>", "show what a reader of this tag gets; can be repeated", collect)
    .option("--as <format>", "text, html or eml", formatOf, "text")
    .action(async (name: string | undefined, options: { tag?: string[]; as: string }) => {
      const query = { tags: options.tag ?? [], as: options.as };
      terminal.raw(await client().download(`/editions/${name ?? "next"}/preview`, query));
    });

  withJson(edition.command("send").description("send today's edition now"))
    .option("--date <date>", "refuse if this is not today's date", dateArgument)
    .option("--extra", "send an extra edition if the date already has one")
    .option("--watch", "wait until it is finished, and show the progress")
    .action(async (options: JsonOption & { date?: string; extra?: boolean; watch?: boolean }) => {
      const server = client();
      const json = { extra: options.extra ?? false, ...(options.date === undefined ? {} : { date: options.date }) };
      const sent = await server.request<EditionDetailAnswer>("POST", "/editions", { json });
      const last = options.watch ? await watchEdition(server, terminal, sent) : { edition: sent, code: 0 };
      answer(terminal, options, last.edition, editionText);
      setExitCode(last.code);
    });

  addEditionEdit(edition, context);

  addCheckLinks(edition, context);

  withJson(edition.command("test").description("email a sample copy to yourself through the usual relay"))
    .argument("<address>", "email address")
    .argument("[edition]", "such as 2026-11-24; the next edition if omitted", editionArgument)
    .option("--tag <tag>", "show what a reader of this tag gets; can be repeated", collect)
    .action(async (address: string, name: string | undefined, options: JsonOption & { tag?: string[] }) => {
      const json = { address, tags: options.tag ?? [] };
      const path = `/editions/${name ?? "next"}/test`;
      const mailed = await client().request<{ edition: string; address: string }>("POST", path, { json });
      answer(terminal, options, mailed, (value) => `Sending a sample copy of ${value.edition} to ${value.address}.`);
    });

  for (const action of editionActions) {
    const command = withJson(edition.command(action).description(doing[action])).argument(
      "<edition>",
      "such as 2026-11-24",
      editionArgument,
    );
    if (action === "pause" || action === "cancel") command.option("--reason <text>", "reason to show with the edition");
    command.action(async (name: string, options: JsonOption & { reason?: string }) => {
      const json = options.reason === undefined ? {} : { reason: options.reason };
      const acted = await client().request<ActedAnswer>("POST", `/editions/${name}/${action}`, { json });
      answer(terminal, options, acted, (value) => actedText(action, value));
    });
  }
}

async function newest({ client }: Context): Promise<string> {
  const { editions } = await client().request<{ editions: EditionAnswer[] }>("GET", "/editions", {
    query: { limit: 1 },
  });
  const [first] = editions;
  if (!first) throw new UsageError("There are no editions yet. To send one, run `dayletter edition send`.");
  return first.name;
}

function formatOf(raw: string): string {
  if (["text", "html", "eml"].includes(raw)) return raw;
  throw new UsageError(`${JSON.stringify(raw)} is not a format. Use text, html or eml.`);
}

const everyMs = 300;
const moving = new Set(["opening", "sending"]);

/**
 * Shows the progress of an edition until it stops changing.
 * @returns the edition, and exit code 0 if it is finished or empty, or 1 if it is cancelled, paused or held
 */
async function watchEdition(
  client: Client,
  terminal: Terminal,
  sent: EditionDetailAnswer,
): Promise<{ edition: EditionDetailAnswer; code: number }> {
  const progress = startProgress(terminal, `Edition ${sent.name}`);
  let edition = sent;
  while (moving.has(edition.state)) {
    const { selected, pending, sending, deferred } = edition.balance;
    const done = selected - pending - sending - deferred;
    progress.show(
      done,
      selected,
      edition.state === "opening" ? "rendering" : `${done} of ${selected} done${later(deferred)}`,
    );
    await wait(everyMs);
    edition = await client.request<EditionDetailAnswer>("GET", `/editions/${sent.name}`);
  }
  progress.end();
  const well = edition.state === "finished" || edition.state === "empty";
  return { edition, code: well ? exitCodes.done : exitCodes.failed };
}

function later(deferred: number): string {
  return deferred === 0 ? "" : `, ${deferred} deferred`;
}
