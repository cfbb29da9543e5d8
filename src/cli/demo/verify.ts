import type { CaughtMail } from "./run.ts";
import { expectedTitles, type DemoReader, expectedArticles, wireStories } from "./stories.ts";
import type { EditionDetailAnswer, PollAnswer, SourceAnswer } from "../../web/api/answers.ts";
import { plural } from "../format.ts";

interface Received {
  reader: DemoReader;
  subject: string | null;
  /** Headlines in the order of the email. */
  titles: string[];
}

/** Which headlines each reader got, according to the caught emails. */
export function receivedBy(readers: readonly DemoReader[], mails: readonly CaughtMail[]): Received[] {
  return readers.map((reader) => {
    const mail = mails.find((one) => one.to === reader.address && !isQuestion(one));
    return { reader, subject: mail?.parsed.subject ?? null, titles: mail ? titlesIn(mail) : [] };
  });
}

/** Whether it is a confirmation email. */
export function isQuestion({ parsed }: CaughtMail): boolean {
  return /\/confirm\/[\w-]{20,}/.test(parsed.text ?? "");
}

/** All differences between the emails and the readers' tags, one sentence each; empty if there are none. */
export function mismatches(readers: readonly DemoReader[], caught: readonly CaughtMail[]): string[] {
  const mails = caught.filter((mail) => !isQuestion(mail));
  const asked = caught.filter(isQuestion).map(({ to }) => to);
  const wrong = readers
    .filter(({ address, confirmed }) => asked.filter((to) => to === address).length !== (confirmed ? 0 : 1))
    .map(
      ({ address, confirmed }) =>
        `${address} got ${confirmed ? "a confirmation email although already confirmed" : "not exactly one confirmation email"}.`,
    );
  return [...wrong, ...differences(readers, mails)];
}

function differences(readers: readonly DemoReader[], mails: readonly CaughtMail[]): string[] {
  const known = new Set(readers.map((reader) => reader.address));
  const strangers = mails.filter(({ to }) => !known.has(to)).map(({ to }) => `${to} got an email but is not a reader.`);
  return [...strangers, ...readers.flatMap((reader) => mismatch(reader, mails))];
}

function mismatch(reader: DemoReader, mails: readonly CaughtMail[]): string[] {
  const own = mails.filter(({ to }) => to === reader.address);
  const expected = expectedTitles(reader);
  const count = expected.length === 0 ? 0 : 1;
  if (own.length !== count) return [`${reader.address} got ${own.length} emails instead of ${count}.`];
  return own.flatMap((mail) => [
    ...difference(reader.address, expected, titlesIn(mail)),
    ...(hasHeader(mail, "list-unsubscribe-post")
      ? []
      : [`${reader.address} got an email without one-click unsubscribe.`]),
    ...(expected.every((title) => plain(mail.parsed.html).includes(title))
      ? []
      : [`The HTML for ${reader.address} has a headline missing.`]),
    ...sourceLines(expected)
      .filter((line) => !(mail.parsed.text ?? "").includes(line))
      .map((line) => `The text for ${reader.address} does not contain "${line}".`),
  ]);
}

function difference(address: string, expected: readonly string[], found: readonly string[]): string[] {
  const missing = expected.filter((title) => !found.includes(title));
  const extra = found.filter((title) => !expected.includes(title));
  return [
    ...missing.map((title) => `${address} did not get "${title}".`),
    ...extra.map((title) => `${address} got "${title}" but follows none of its tags.`),
  ];
}

function sourceLines(titles: readonly string[]): string[] {
  return wireStories.flatMap(({ title, onTheWeb }) =>
    onTheWeb && titles.includes(title) ? `On the web: ${onTheWeb.name}` : [],
  );
}

/** The parser combines all List- headers, so this checks the header lines. */
function hasHeader({ parsed }: CaughtMail, name: string): boolean {
  return parsed.headerLines.some((line) => line.key === name);
}

/** In the text part, each headline is on its own line, followed by the URL. */
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

export function sourcesText(sources: readonly { source: SourceAnswer; poll: PollAnswer }[]): string {
  const lines = sources.flatMap(({ source, poll }) => {
    const merged = poll.updated > 0 ? `, ${plural(poll.updated, "known article")} with new tags` : "";
    return [
      `  ${source.title ?? source.url}: ${plural(poll.added, "new article")}${merged}`,
      ...poll.problems.map((problem) => `    Problem: ${problem}`),
    ];
  });
  return ["Sources", ...lines].join("\n");
}

export function readersText(readers: readonly DemoReader[]): string {
  const unconfirmed = readers.filter((reader) => !reader.confirmed).length;
  return `Readers\n  ${readers.length} added, ${unconfirmed} of them asked to confirm by email`;
}

export function mailsText(received: readonly Received[]): string {
  const got = received.filter(({ titles }) => titles.length > 0);
  const none = received.filter(({ titles }) => titles.length === 0);
  return [
    "Emails received over SMTP",
    ...got.flatMap(({ reader, subject, titles }) => [
      `  ${reader.address} (follows ${followed(reader)})`,
      `    Subject: ${subject ?? ""}`,
      ...titles.map((title) => `    - ${title}`),
    ]),
    "",
    "No email",
    ...none.map(({ reader }) => `  ${reader.address} (follows ${followed(reader)}): ${whyNone(reader)}`),
  ].join("\n");
}

export function editionText(edition: EditionDetailAnswer, refusal: string | null): string {
  return [
    `Edition ${edition.name}: ${edition.state}`,
    `  ${plural(edition.articles.length, "article")}, ${plural(edition.readers, "active reader")}, ${edition.unmatched} without a matching tag`,
    `  Balance: ${edition.sentence}`,
    ...(refusal === null ? [] : [`  A second \`dayletter edition send\` was refused: ${refusal}`]),
    "",
  ].join("\n");
}

export function placesText(end: {
  passed: boolean;
  seconds: number;
  url: string;
  folder: string;
  /** The link for the first operator; null when it has been used. */
  setup: string | null;
  keep: boolean;
  command: string;
}): string {
  const verdict = end.passed
    ? `Every reader got exactly the articles they follow. The demo took ${end.seconds.toFixed(1)} s.`
    : 'The demo failed. See the lines that start with "Problem".';
  if (!end.keep) return `${verdict}\nTo keep the server running and look around, run: npm run demo -- --keep`;
  return [
    verdict,
    "",
    `The server is running at ${end.url}`,
    ...(end.setup === null ? [] : [`  operator  ${end.setup} (works once, within 24 hours)`]),
    `  emails    ${end.folder}/mails (.eml files, for any email program)`,
    `  log       ${end.folder}/log.jsonl`,
    `  commands  DATA_DIR=${end.folder}/data ${end.command} status`,
    "To stop it, press Ctrl-C.",
  ].join("\n");
}

export function keptText(folder: string): string {
  return `The demo's data is in ${folder}. Delete it when you are done.`;
}

function followed({ tags }: DemoReader): string {
  return tags.length === 0 ? "all news" : tags.join(", ");
}

function whyNone({ confirmed }: DemoReader): string {
  return confirmed ? "no new article has these tags" : "not confirmed yet";
}
