import type { ComingAnswer } from "./answers.ts";
import { facts, table } from "./table.ts";
import { sendLine } from "./format.ts";

/** The next edition as `edition edit` shows it. */
export function comingText(coming: ComingAnswer): string {
  const { date, send, timezone, introduction, subject, articles, findings } = coming;
  const summary = facts([
    ["Edition", date],
    ["Due", send === null ? "no more dates in the schedule" : sendLine(send, timezone)],
    ["Subject", subject ?? "the headline of each reader's first article"],
    ["Introduction", introduction === null ? "none" : introduction.replace(/\n+/g, " / ")],
    ["Would be held", findings.length === 0 ? null : findings.join(" ")],
  ]);
  if (articles.length === 0) return `${summary}\n\nNo articles are waiting for it yet.`;
  const rows = articles.map((article) => [String(article.id), marks(article), article.title, article.tags.join(", ")]);
  const columns = [{ title: "ID", right: true }, { title: "Edited" }, { title: "Headline" }, { title: "Tags" }];
  return `${summary}\n\n${table(columns, rows, null)}`;
}

function marks({ leftOut, placed, original }: ComingAnswer["articles"][number]): string {
  if (leftOut) return "left out";
  return [...(placed ? ["moved"] : []), ...(original ? ["reworded"] : [])].join(", ");
}
