import type { Payload } from "../src/queue/contract.ts";
import { pollSource, type PollDeps } from "../src/sources/poll.ts";

/** Polls one feed if it is due. */
export async function fetchSource(deps: PollDeps, { sourceId }: Payload<"fetch-source">, signal: AbortSignal) {
  const result = await pollSource(deps, sourceId, { force: false, signal });
  return result.kind;
}
