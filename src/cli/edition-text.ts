import type { ActedAnswer, DeliveryAnswer, EditionAnswer, EditionDetailAnswer } from "./answers.ts";
import type { Client } from "./client.ts";
import { facts, table } from "./table.ts";
import { moment, plural } from "./format.ts";

export function editionsText(editions: readonly EditionAnswer[], columns: number | null): string {
  if (editions.length === 0) return "No editions yet. To send one now, run `dayletter edition send`.";
  const rows = editions.map((edition) => [
    edition.name,
    edition.state,
    moment(edition.dueAt, edition.timezone),
    String(edition.articleCount),
    String(edition.selected),
    edition.reason ?? "",
  ]);
  const titles = [
    { title: "Edition" },
    { title: "State" },
    { title: "Due" },
    { title: "Articles", right: true },
    { title: "Readers", right: true },
    { title: "Reason" },
  ];
  return table(titles, rows, columns);
}

export function editionText(edition: EditionDetailAnswer): string {
  const { timezone, articles } = edition;
  const summary = facts([
    ["Edition", edition.name],
    ["State", edition.state],
    ["Reason", edition.reason],
    ["Subject", edition.subject],
    ["Due", moment(edition.dueAt, timezone)],
    ["Started", edition.sendingAt === null ? null : moment(edition.sendingAt, timezone)],
    ["Closed", edition.closedAt === null ? null : moment(edition.closedAt, timezone)],
    ["Readers", `${edition.readers} active: ${edition.selected} get it, ${edition.unmatched} follow none of its tags`],
    ["Balance", edition.sentence],
    [
      "Suppressed",
      edition.suppressed === 0
        ? null
        : `${plural(edition.suppressed, "address", "addresses")} that the relay reported as invalid`,
    ],
    ["Actions", edition.allowed.length === 0 ? null : edition.allowed.join(", ")],
  ]);
  if (articles.length === 0) return summary;
  const rows = [
    ...articles.map(({ id, title, tags }) => [String(id), title, tags.join(", ")]),
    ...edition.leftOut.map(({ id, title, tags }) => [String(id), `(left out) ${title}`, tags.join(", ")]),
  ];
  const columns = [{ title: "ID", right: true }, { title: "Headline" }, { title: "Tags" }];
  return `${summary}\n\n${table(columns, rows, null)}`;
}

export function actedText(action: string, { changed, affected, edition }: ActedAnswer): string {
  const now = `Edition ${edition.name} is ${edition.state}`;
  if (!changed) return `No change. ${now}.`;
  if (action === "unsuppress") return `${now}; ${plural(affected, "suppression", "suppressions")} removed.`;
  return `${now}${affected > 0 ? `; ${plural(affected, "delivery", "deliveries")} affected` : ""}. ${edition.sentence}`;
}

const shown = 20;

/** The first unknown deliveries, and what to do about them. */
export async function unknownText(client: Client, name: string): Promise<string> {
  const query = { state: "unknown", limit: shown };
  const { deliveries, next } = await client.ask<{ deliveries: DeliveryAnswer[]; next: number | null }>(
    "GET",
    `/editions/${name}/deliveries`,
    { query },
  );
  const lines = deliveries.map(({ address, reply }) => `  ${address ?? "an erased reader"}  ${reply ?? ""}`.trimEnd());
  return [
    "",
    "Unknown: the relay's replies to these emails were lost. It may have accepted them.",
    ...lines,
    ...(next === null ? [] : ["  …"]),
    `Leave them as they are, or run \`dayletter edition resend-unknown ${name}\`. Readers may then get a second copy.`,
  ].join("\n");
}
