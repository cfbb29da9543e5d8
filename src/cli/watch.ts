import { setTimeout as wait } from "node:timers/promises";
import type { EditionDetailAnswer } from "./answers.ts";
import type { Client } from "./client.ts";
import { exitCodes } from "./failure.ts";
import { startProgress } from "./progress.ts";
import type { Terminal } from "./terminal.ts";

const everyMs = 300;
const moving = new Set(["opening", "sending"]);

/**
 * Shows the progress of an edition until it stops changing.
 * @returns the edition, and exit code 0 if it is finished or empty, or 1 if it is cancelled, paused or held
 */
export async function watchEdition(
  client: Client,
  terminal: Terminal,
  sent: EditionDetailAnswer,
): Promise<{ edition: EditionDetailAnswer; code: number }> {
  const progress = startProgress(terminal, `Edition ${sent.name}`);
  let edition = sent;
  while (moving.has(edition.state)) {
    const { selected, pending, sending, deferred } = edition.balance;
    const done = selected - pending - sending - deferred;
    progress.show(
      done,
      selected,
      edition.state === "opening" ? "rendering" : `${done} of ${selected} done${later(deferred)}`,
    );
    await wait(everyMs);
    edition = await client.ask<EditionDetailAnswer>("GET", `/editions/${sent.name}`);
  }
  progress.end();
  const well = edition.state === "finished" || edition.state === "empty";
  return { edition, code: well ? exitCodes.done : exitCodes.failed };
}

function later(deferred: number): string {
  return deferred === 0 ? "" : `, ${deferred} deferred`;
}
