import type { EditionDetailAnswer, PollAnswer, SourceAnswer } from "../answers.ts";
import { plural } from "../format.ts";
import type { DemoReader } from "./readers.ts";
import type { Received } from "./verify.ts";

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
