import type { ActedAnswer, DeliveryAnswer, EditionAnswer, EditionDetailAnswer } from "./answers.ts";
import type { Client } from "./client.ts";
import { facts, table } from "./table.ts";
import { moment, plural } from "./format.ts";

export function editionsText(editions: readonly EditionAnswer[], columns: number | null): string {
  if (editions.length === 0) return "No edition yet: the schedule makes them, or `dayletter edition send`.";
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
    { title: "Why" },
  ];
  return table(titles, rows, columns);
}

export function editionText(edition: EditionDetailAnswer): string {
  const { timezone, articles } = edition;
  const summary = facts([
    ["Edition", edition.name],
    ["State", edition.state],
    ["Why", edition.reason],
    ["Subject", edition.subject],
    ["Due", moment(edition.dueAt, timezone)],
    ["Sent from", edition.sendingAt === null ? null : moment(edition.sendingAt, timezone)],
    ["Closed", edition.closedAt === null ? null : moment(edition.closedAt, timezone)],
    ["Readers", `${edition.readers} active: ${edition.selected} get it, ${edition.unmatched} follow none of its tags`],
    ["Balance", edition.sentence],
    [
      "Suppressed",
      edition.suppressed === 0 ? null : `${plural(edition.suppressed, "address", "addresses")} said not to exist`,
    ],
    ["You can", edition.allowed.length === 0 ? null : edition.allowed.join(", ")],
  ]);
  if (articles.length === 0) return summary;
  const rows = [
    ...articles.map(({ id, title, tags }) => [String(id), title, tags.join(", ")]),
    ...edition.leftOut.map(({ id, title, tags }) => [String(id), `(left out) ${title}`, tags.join(", ")]),
  ];
  const columns = [{ title: "Id", right: true }, { title: "Headline" }, { title: "Tags" }];
  return `${summary}\n\n${table(columns, rows, null)}`;
}

export function actedText(action: string, { changed, affected, edition }: ActedAnswer): string {
  const now = `Edition ${edition.name} is ${edition.state}`;
  if (!changed) return `${now}: there was nothing to ${action}.`;
  if (action === "unsuppress") return `${now}; ${plural(affected, "suppression", "suppressions")} taken back.`;
  return `${now}${affected > 0 ? `; ${plural(affected, "delivery", "deliveries")} affected` : ""}. ${edition.sentence}`;
}

const shown = 20;

/** The deliveries whose outcome nobody knows, and the one thing to do about them. */
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
    "Unknown: the relay may have taken these and never said so.",
    ...lines,
    ...(next === null ? [] : ["  and more"]),
    `Let them be, or send them again, at the risk of a second copy: \`dayletter edition resend-unknown ${name}\``,
  ].join("\n");
}
