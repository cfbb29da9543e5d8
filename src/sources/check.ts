import { Refusal } from "../base/errors.ts";
import { writeAudit } from "../audit/audit.ts";
import { shownUrl } from "./address.ts";
import { pollSource, type PollDeps, type PollResult } from "./poll.ts";
import type { Source } from "./store.ts";

/** Reads a feed at an operator's wish, whenever it is due. @throws Refusal 409 for the API, which is no feed */
export async function checkSource(deps: PollDeps, source: Source, actor: string): Promise<PollResult> {
  if (source.url === null) throw new Refusal(409, `Source ${source.id} is the API: there is no feed to read.`);
  const result = await pollSource(deps, source.id, { force: true });
  await writeAudit(deps.db, {
    at: deps.clock.now(),
    actor,
    action: "source check",
    subject: shownUrl(source.url),
    detail: { result: result.kind, ...(result.kind === "failed" ? { reason: result.reason } : {}) },
  });
  return result;
}
