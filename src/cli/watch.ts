import { setTimeout as wait } from "node:timers/promises";
import type { EditionDetailAnswer } from "./answers.ts";
import type { Client } from "./client.ts";
import { exitCodes } from "./failure.ts";
import { startProgress } from "./progress.ts";
import type { Terminal } from "./terminal.ts";

const everyMs = 300;
const moving = new Set(["opening", "sending"]);

/**
 * Shows an edition on its way until it moves no longer.
 * @returns how it ended; the code is 0 for finished and empty, 1 for cancelled, and for paused or held, where an operator is needed
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
  return deferred === 0 ? "" : `, ${deferred} tried again later`;
}
