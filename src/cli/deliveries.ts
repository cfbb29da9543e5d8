import type { Command } from "commander";
import type { DeliveryPage } from "../web/api/answers.ts";
import { editionArgument, limitArgument } from "./arguments.ts";
import { answer, withJson, type Context } from "./context.ts";
import { UsageError } from "./failure.ts";
import { table } from "./table.ts";

interface Search {
  state?: string;
  domain?: string;
  reply?: string;
}

/** `dayletter edition deliveries` searches an edition's ledger and prints a page of it, or all matches as CSV. */
export function addDeliveries(edition: Command, { terminal, client }: Context): void {
  withJson(edition.command("deliveries").description("search an edition's deliveries"))
    .argument("<edition>", "such as 2026-11-24", editionArgument)
    .option("--state <state>", "only sent, rejected, expired, skipped, unknown, pending, sending or deferred", stateOf)
    .option("--domain <domain>", "only this receiving domain")
    .option("--reply <words>", "only with these words in the relay's last reply")
    .option("--csv", "print all matches as CSV")
    .option("--limit <number>", "maximum number to show", limitArgument, 100)
    .option("--after <id>", "start after this ID", (raw) => raw)
    .action(
      async (name: string, options: Search & { json?: boolean; csv?: boolean; limit: number; after?: string }) => {
        const { json: asJson, csv, limit, after, ...search } = options;
        const path = `/editions/${name}/deliveries`;
        if (csv) return terminal.raw(await client().download(`${path}/export`, {}, search));
        const json = { ...search, limit, ...(after === undefined ? {} : { after }) };
        const page = await client().request<DeliveryPage>("POST", `${path}/search`, { json });
        answer(terminal, { json: asJson ?? false }, page, (value) => deliveriesText(value, name, terminal.columns));
      },
    );
}

function deliveriesText({ deliveries, next }: DeliveryPage, name: string, columns: number | null): string {
  if (deliveries.length === 0)
    return `No deliveries of ${name} match. To see its counts, run \`dayletter edition show ${name}\`.`;
  const rows = deliveries.map(({ id, state, address, attempts, detail }) => [
    String(id),
    state,
    address ?? "an erased reader",
    String(attempts),
    detail ?? "",
  ]);
  const titles = [
    { title: "ID", right: true },
    { title: "Status" },
    { title: "Address" },
    { title: "Attempts", right: true },
    { title: "Detail" },
  ];
  const more = next === null ? "" : `\nFor the next page, add --after ${next}`;
  return `${table(titles, rows, columns)}${more}`;
}

const states = ["sent", "rejected", "expired", "skipped", "unknown", "pending", "sending", "deferred"];

function stateOf(raw: string): string {
  if (states.includes(raw)) return raw;
  throw new UsageError(`${JSON.stringify(raw)} is not the state of a delivery. Use ${states.join(", ")}.`);
}
