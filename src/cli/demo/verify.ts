import type { CaughtMail } from "./catcher.ts";
import { expectedTitles, type DemoReader } from "./readers.ts";
import { expectedArticles, wireStories } from "./stories.ts";

export interface Received {
  reader: DemoReader;
  subject: string | null;
  /** Headlines in the mail, in its order. */
  titles: string[];
}

/** Reads the caught mails: who got which headlines. */
export function receivedBy(readers: readonly DemoReader[], mails: readonly CaughtMail[]): Received[] {
  return readers.map((reader) => {
    const mail = mails.find((one) => one.to === reader.address && !isQuestion(one));
    return { reader, subject: mail?.parsed.subject ?? null, titles: mail ? titlesIn(mail) : [] };
  });
}

/** Whether it asks its reader to confirm. */
export function isQuestion({ parsed }: CaughtMail): boolean {
  return /\/confirm\/[\w-]{20,}/.test(parsed.text ?? "");
}

/** Every way in which the mails differ from what the readers asked for, a sentence each; empty when all is right. */
export function mismatches(readers: readonly DemoReader[], caught: readonly CaughtMail[]): string[] {
  const mails = caught.filter((mail) => !isQuestion(mail));
  const asked = caught.filter(isQuestion).map(({ to }) => to);
  const wrong = readers
    .filter(({ address, confirmed }) => asked.filter((to) => to === address).length !== (confirmed ? 0 : 1))
    .map(
      ({ address, confirmed }) =>
        `${address} was ${confirmed ? "asked to confirm again" : "not asked once to confirm"}.`,
    );
  return [...wrong, ...differences(readers, mails)];
}

function differences(readers: readonly DemoReader[], mails: readonly CaughtMail[]): string[] {
  const known = new Set(readers.map((reader) => reader.address));
  const strangers = mails.filter(({ to }) => !known.has(to)).map(({ to }) => `${to} got a mail and is no reader.`);
  return [...strangers, ...readers.flatMap((reader) => mismatch(reader, mails))];
}

function mismatch(reader: DemoReader, mails: readonly CaughtMail[]): string[] {
  const own = mails.filter(({ to }) => to === reader.address);
  const expected = expectedTitles(reader);
  const count = expected.length === 0 ? 0 : 1;
  if (own.length !== count) return [`${reader.address} got ${own.length} mails instead of ${count}.`];
  return own.flatMap((mail) => [
    ...difference(reader.address, expected, titlesIn(mail)),
    ...(hasHeader(mail, "list-unsubscribe-post") ? [] : [`${reader.address} got no one-click unsubscribing.`]),
    ...(expected.every((title) => plain(mail.parsed.html).includes(title))
      ? []
      : [`${reader.address} misses a headline in HTML.`]),
    ...sourceLines(expected)
      .filter((line) => !(mail.parsed.text ?? "").includes(line))
      .map((line) => `${reader.address} misses the line "${line}".`),
  ]);
}

function difference(address: string, expected: readonly string[], found: readonly string[]): string[] {
  const missing = expected.filter((title) => !found.includes(title));
  const extra = found.filter((title) => !expected.includes(title));
  return [
    ...missing.map((title) => `${address} did not get "${title}".`),
    ...extra.map((title) => `${address} got "${title}" without having asked for it.`),
  ];
}

function sourceLines(titles: readonly string[]): string[] {
  return wireStories.flatMap(({ title, onTheWeb }) =>
    onTheWeb && titles.includes(title) ? `On the web: ${onTheWeb.name}` : [],
  );
}

/** The parser gathers the List- headers under one name, so the lines themselves are looked at. */
function hasHeader({ parsed }: CaughtMail, name: string): boolean {
  return parsed.headerLines.some((line) => line.key === name);
}

/** In the text part a headline stands on a line of its own, with the article's address below. */
function titlesIn({ parsed }: CaughtMail): string[] {
  const text = parsed.text ?? "";
  const at = (title: string): number => text.indexOf(`\n${title}\nhttp`);
  return expectedArticles()
    .map((article) => article.title)
    .filter((title) => at(title) >= 0)
    .sort((a, b) => at(a) - at(b));
}

function plain(html: string | false | undefined): string {
  const entities: Record<string, string> = { amp: "&", lt: "<", gt: ">", quot: '"', "#39": "'", "#x27": "'" };
  return (html || "").replace(/&(amp|lt|gt|quot|#39|#x27);/g, (_, name: string) => entities[name]!);
}
