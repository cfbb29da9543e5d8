import type { WhyAnswer } from "./answers.ts";
import { table } from "./table.ts";

/** The reader, and for each edition of the date the explanation and its articles with the matching tags. */
export function whyText({ subscriber, sentence, editions }: WhyAnswer, columns: number | null): string {
  const { id, address, status } = subscriber;
  const who = `${address} (subscriber ${id}, ${status})`;
  if (editions.length === 0) return `${who}\n${sentence}`;
  const explained = editions.map((edition) => {
    const answer = `Edition ${edition.edition}: ${edition.code}. ${edition.sentence}`;
    if (edition.articles.length === 0) return answer;
    const rows = edition.articles.map(({ title, because, inMail }) => [
      title,
      `${because.length === 0 ? "all news" : because.join(", ")}${inMail ? "" : " (on the web only)"}`,
    ]);
    return `${answer}\n\n${table([{ title: "Article" }, { title: "Matching tags" }], rows, columns)}`;
  });
  return [who, ...explained].join("\n");
}
