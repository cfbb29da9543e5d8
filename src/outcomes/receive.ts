import { Refusal } from "../base/errors.ts";
import { readReport } from "./read-report.ts";
import { recordOutcome, type OutcomeDeps } from "./record.ts";
import type { OutcomeSource } from "./store.ts";
import { unsubscribeByEmail, type ReceivedEmail, type UnsubscribeEmailDeps } from "./unsubscribe-email.ts";

export type ReceiveDeps = OutcomeDeps & UnsubscribeEmailDeps;

/**
 * Does what an email says that came to addresses of this publication: records a bounce or a complaint about the emails that return
 * paths name, and unsubscribes readers whose header has the address. Receiving it again changes nothing.
 * @param email.raw the message, of a limited size
 * @param email.addresses valid ones: nothing else says whom it is about
 * @returns whether the message could be read, so that nobody has to look at it
 * @throws if it could not be recorded, and has to come again
 */
export async function receiveEmail(
  deps: ReceiveDeps,
  {
    raw,
    addresses,
    sender,
    source,
  }: Pick<ReceivedEmail, "raw" | "sender"> & { addresses: readonly string[]; source: OutcomeSource },
): Promise<boolean> {
  const { log } = deps;
  const returnPaths: string[] = [];
  for (const address of addresses) {
    if (!(await unsubscribeByEmail(deps, { address, sender, raw }))) returnPaths.push(address);
  }
  if (returnPaths.length === 0) return true;
  const read = readReport(raw);
  if (read.outcome === null) {
    log.info({ reason: read.reason, source }, "email to a return path is not about a failure");
    return read.reason !== "unreadable";
  }
  const guess = read.outcome === "bounced" && read.guess;
  const said = read.outcome === "bounced" ? { code: read.code, text: read.text } : { code: null, text: null };
  for (const address of returnPaths) {
    try {
      const recorded = await recordOutcome(
        deps,
        { address },
        { ...said, outcome: read.outcome, at: null, source, guess },
      );
      log.info({ outcome: read.outcome, source, ...recorded }, "outcome received");
    } catch (error) {
      // Such as an edition whose deliveries were removed. It would be the same the next time.
      if (!(error instanceof Refusal)) throw error;
      log.info({ code: error.code, source }, "outcome has no email");
    }
  }
  return true;
}
