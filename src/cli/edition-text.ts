import type { ActedAnswer, DeliveryPage, EditionDetailAnswer, ListedEditionAnswer } from "../web/api/answers.ts";
import type { Client } from "./client.ts";
import { percentInWords } from "../texts/outcomes.ts";
import { recipientsOf } from "../deliveries/warm-up.ts";
import { facts, table } from "./table.ts";
import { moment, plural } from "./format.ts";

export function editionsText(editions: readonly ListedEditionAnswer[], columns: number | null): string {
  if (editions.length === 0) return "No editions yet. To send one now, run `dayletter edition send`.";
  const rows = editions.map((edition) => [
    edition.name,
    edition.state,
    moment(edition.dueAt, edition.timezone),
    String(edition.articleCount),
    String(recipientsOf(edition.selected, edition.warmUp)),
    rateText(edition.outcomes.bounceRate),
    rateText(edition.outcomes.complaintRate),
    edition.reason ?? "",
  ]);
  const titles = [
    { title: "Edition" },
    { title: "Status" },
    { title: "Due" },
    { title: "Articles", right: true },
    { title: "Readers", right: true },
    { title: "Bounced", right: true },
    { title: "Complained", right: true },
    { title: "Reason" },
  ];
  return table(titles, rows, columns);
}

/** Empty if nothing was reported. */
function rateText(rate: number | null): string {
  return rate === null ? "" : percentInWords(rate);
}

export function editionText(edition: EditionDetailAnswer, columns: number | null): string {
  const { timezone, articles } = edition;
  const summary = facts([
    ["Edition", edition.name],
    ["Status", edition.state],
    ["Reason", edition.reason],
    ["Subject", edition.subject],
    ["Due", moment(edition.dueAt, timezone)],
    ["Started", edition.sendingAt === null ? null : moment(edition.sendingAt, timezone)],
    ["Closed", edition.closedAt === null ? null : moment(edition.closedAt, timezone)],
    [
      "Readers",
      edition.state === "empty"
        ? `${edition.readers} active: none gets it, because it has no articles`
        : `${edition.readers} active: ${plural(recipientsOf(edition.selected, edition.warmUp), "gets it", "get it")}, ${plural(edition.unmatched, "follows", "follow")} none of its tags`,
    ],
    [
      "Warm-up",
      edition.warmUp &&
        `day ${edition.warmUp.day}: at most ${edition.warmUp.cap} readers at each mailbox provider, ${edition.warmUp.leftOut} skipped`,
    ],
    ["Balance", edition.sentence],
    ["Outcomes", edition.outcomesSentence],
    ["Suppressed", edition.suppressed === 0 ? null : plural(edition.suppressed, "address", "addresses")],
    ["Actions", edition.allowed.length === 0 ? null : edition.allowed.join(", ")],
  ]);
  if (articles.length === 0) return summary;
  const rows = [
    ...articles.map(({ id, title, tags }) => [String(id), title, tags.join(", ")]),
    ...edition.leftOut.map(({ id, title, tags }) => [String(id), `(left out) ${title}`, tags.join(", ")]),
  ];
  const titles = [{ title: "ID", right: true }, { title: "Headline" }, { title: "Tags" }];
  return `${summary}\n\n${table(titles, rows, columns)}`;
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
  const { deliveries, next } = await client.request<DeliveryPage>("GET", `/editions/${name}/deliveries`, { query });
  const lines = deliveries.map(({ address, detail }) =>
    `  ${address ?? "an erased reader"}  ${detail ?? ""}`.trimEnd(),
  );
  return [
    "",
    "Unknown: the relay's replies to these emails were lost. The relay may have accepted the emails.",
    ...lines,
    ...(next === null ? [] : ["  …"]),
    `Leave them as they are, or run \`dayletter edition resend-unknown ${name}\`. Readers may then get a second copy.`,
  ].join("\n");
}
