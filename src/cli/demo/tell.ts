import type { EditionDetailAnswer, PollAnswer, SourceAnswer } from "../answers.ts";
import { plural } from "../format.ts";
import type { DemoReader } from "./readers.ts";
import type { Received } from "./verify.ts";

export function sourcesText(sources: readonly { source: SourceAnswer; poll: PollAnswer }[]): string {
  const lines = sources.flatMap(({ source, poll }) => {
    const merged = poll.updated > 0 ? `, ${poll.updated} known already and given more tags` : "";
    return [
      `  ${source.title ?? source.url}: ${plural(poll.added, "new article")}${merged}`,
      ...poll.problems.map((problem) => `    One of them: ${problem}`),
    ];
  });
  return ["Sources", ...lines].join("\n");
}

export function readersText(readers: readonly DemoReader[]): string {
  const unconfirmed = readers.filter((reader) => !reader.confirmed).length;
  return `Readers\n  ${readers.length} added, ${unconfirmed} of them asked to confirm by mail`;
}

export function mailsText(received: readonly Received[]): string {
  const got = received.filter(({ titles }) => titles.length > 0);
  const none = received.filter(({ titles }) => titles.length === 0);
  return [
    "Mails, as they came in over SMTP",
    ...got.flatMap(({ reader, subject, titles }) => [
      `  ${reader.address}, who follows ${followed(reader)}`,
      `    Subject: ${subject ?? ""}`,
      ...titles.map((title) => `    - ${title}`),
    ]),
    "",
    "No mail",
    ...none.map(({ reader }) => `  ${reader.address}, who follows ${followed(reader)}: ${whyNone(reader)}`),
  ].join("\n");
}

export function editionText(edition: EditionDetailAnswer, refusal: string | null): string {
  return [
    `Edition ${edition.name}, ${edition.state}`,
    `  ${plural(edition.articles.length, "article")}, ${plural(edition.readers, "active reader")}, ${edition.unmatched} without a match`,
    `  The balance: ${edition.sentence}`,
    ...(refusal === null ? [] : [`  A second \`dayletter edition send\` is refused: ${refusal}`]),
    "",
  ].join("\n");
}

export function placesText(end: {
  passed: boolean;
  seconds: number;
  url: string;
  folder: string;
  keep: boolean;
  command: string;
}): string {
  const verdict = end.passed
    ? `Every reader got exactly what their tags say. It took ${end.seconds.toFixed(1)} s.`
    : 'Something went wrong: see the lines that begin with "Wrong".';
  if (!end.keep) return `${verdict}\nTo look around in it: npm run demo -- --keep`;
  return [
    verdict,
    "",
    `The server stays up at ${end.url}`,
    `  mails     ${end.folder}/mails (.eml, opened by any mail program)`,
    `  log       ${end.folder}/log.jsonl`,
    `  commands  DATA_DIR=${end.folder}/data ${end.command} status`,
    "Ctrl-C ends it.",
  ].join("\n");
}

export function keptText(folder: string): string {
  return `The demo's data is still in ${folder}; remove it when you are done.`;
}

function followed({ tags }: DemoReader): string {
  return tags.length === 0 ? "all news" : tags.join(", ");
}

function whyNone({ confirmed }: DemoReader): string {
  return confirmed ? "no new article has these tags" : "they have not confirmed their sign-up yet";
}
