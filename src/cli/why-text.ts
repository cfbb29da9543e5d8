import type { WhyAnswer } from "./answers.ts";
import { table } from "./table.ts";

/** Who it is about, then for each edition of the date the answer, and its articles with the tags that brought them. */
export function whyText({ subscriber, sentence, editions }: WhyAnswer, columns: number | null): string {
  const { id, address, status } = subscriber;
  const who = `${address} (subscriber ${id}, ${status})`;
  if (editions.length === 0) return `${who}\n${sentence}`;
  const told = editions.map((edition) => {
    const answer = `Edition ${edition.edition}: ${edition.code}. ${edition.sentence}`;
    if (edition.articles.length === 0) return answer;
    const rows = edition.articles.map(({ title, because, inMail }) => [
      title,
      `${because.length === 0 ? "all news" : because.join(", ")}${inMail ? "" : " (on the web only)"}`,
    ]);
    return `${answer}\n\n${table([{ title: "Article" }, { title: "Because of" }], rows, columns)}`;
  });
  return [who, ...told].join("\n");
}
