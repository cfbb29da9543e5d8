import { setTimeout as wait } from "node:timers/promises";
import { Refusal } from "../../base/errors.ts";
import type { Config } from "../../config/load.ts";
import type { EditionDetailAnswer, PollAnswer, SourceAnswer } from "../answers.ts";
import { createContext } from "../context.ts";
import { run } from "../run.ts";
import { recordingTerminal, type Terminal } from "../terminal.ts";
import type { Catcher } from "./catcher.ts";
import type { DemoFeeds } from "./feeds.ts";
import { readers, type DemoReader } from "./readers.ts";
import { editionText, mailsText, readersText, sourcesText } from "./tell.ts";
import { isQuestion, mismatches, receivedBy } from "./verify.ts";

/**
 * Runs the commands that an operator would run, and prints the results.
 * @returns whether all readers got exactly the articles they follow
 */
export async function play(
  terminal: Terminal,
  { config, feeds, catcher }: { config: Config; feeds: DemoFeeds; catcher: Catcher },
): Promise<boolean> {
  const dayletter = commandLine(terminal, config);
  terminal.out("Dayletter demo: sending an edition from two feeds to seven readers, on this machine only.\n");

  const sources: { source: SourceAnswer; poll: PollAnswer }[] = [];
  for (const url of [feeds.wire, feeds.review]) sources.push(await dayletter(["sources", "add", url, "--json"]));
  terminal.out(`${sourcesText(sources)}\n`);

  for (const reader of readers) await dayletter(["subscribers", "add", ...subscriberArguments(reader), "--json"]);
  await questionsArrive(catcher);
  terminal.out(`${readersText(readers)}\n`);

  const edition = await dayletter<EditionDetailAnswer>(["edition", "send", "--watch", "--json"]);
  const received = receivedBy(readers, catcher.mails);
  const problems = [
    ...mismatches(readers, catcher.mails),
    ...(edition.state === "finished" ? [] : [`The edition is ${edition.state}.`]),
  ];
  terminal.out(`${mailsText(received)}\n`);
  const refusal = await refused(() => dayletter(["edition", "send", "--json"]));
  if (refusal === null) problems.push("A second edition on the same day was not refused.");
  terminal.out(editionText(edition, refusal));
  for (const problem of problems) terminal.err(`Problem: ${problem}`);
  return problems.length === 0;
}

/** Waits for the confirmation emails, so that the output does not depend on the order of two jobs. */
async function questionsArrive({ mails }: Catcher): Promise<void> {
  const expected = readers.filter(({ confirmed }) => !confirmed).length;
  for (let tries = 0; tries < 200 && mails.filter(isQuestion).length < expected; tries++) await wait(50);
}

/** Runs commands in this process, shows their progress and parses their output. */
function commandLine(terminal: Terminal, config: Config) {
  return async <T>(argv: readonly string[]): Promise<T> => {
    const { watched, overwrite, err } = terminal;
    const recording = recordingTerminal();
    await run(
      argv,
      createContext({ ...recording, watched, overwrite, err: watched ? err : recording.err }, () => config),
    );
    return JSON.parse(recording.stdout()) as T;
  };
}

function subscriberArguments({ address, tags, confirmed }: DemoReader): string[] {
  const following = tags.length === 0 ? ["--all-tags"] : tags.flatMap((tag) => ["--tag", tag]);
  return [address, ...following, ...(confirmed ? ["--confirmed"] : [])];
}

async function refused(work: () => Promise<unknown>): Promise<string | null> {
  try {
    await work();
    return null;
  } catch (error) {
    if (error instanceof Refusal && error.status === 409) return error.message;
    throw error;
  }
}
