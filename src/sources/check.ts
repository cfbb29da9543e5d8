import { Refusal } from "../base/errors.ts";
import { writeAudit } from "../audit/audit.ts";
import { shownUrl } from "./address.ts";
import { pollSource, type PollDeps, type PollResult } from "./poll.ts";
import type { Source } from "./store.ts";

/** Reads a feed now, at an operator's request. @throws Refusal 409 for the API, which is not a feed */
export async function checkSource(deps: PollDeps, source: Source, actor: string): Promise<PollResult> {
  if (source.url === null) throw new Refusal(409, "source_not_a_feed", { id: source.id });
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
