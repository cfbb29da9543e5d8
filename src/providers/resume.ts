import { writeAudit } from "../audit/audit.ts";
import type { Clock } from "../base/clock.ts";
import { echo, Refusal } from "../base/errors.ts";
import type { Db } from "../db/schema.ts";
import type { Wake } from "../queue/contract.ts";
import { afterEvent } from "./state.ts";
import { findProvider, writeProvider } from "./store.ts";

const mostTries = 5;

/**
 * Ends a provider's pause or block. Sending starts again with one email at a time.
 * @returns whether there was anything to end
 * @throws Refusal 404 for a provider that nothing is known of, 409 while it changes all the time
 */
export async function resumeProvider(
  deps: { db: Db; clock: Clock; wake: Wake },
  { name, actor }: { name: string; actor: string },
): Promise<{ changed: boolean }> {
  const { db, clock, wake } = deps;
  for (let tries = 0; tries < mostTries; tries += 1) {
    const now = clock.now();
    const known = await findProvider(db, name, now);
    if (known === null) throw new Refusal(404, "no_such_provider", { provider: echo(name, 80) });
    // `full` matters only for accepted messages.
    const next = afterEvent(known, "resumed", { now, full: Infinity });
    if (next === null) return { changed: false };
    const written = await db.transaction().execute(async (tx) => {
      if (!(await writeProvider(tx, { ...known, ...next, changedAt: now }))) return false;
      const detail = { state: known.state, reply: known.reply };
      await writeAudit(tx, { at: now, actor, action: "provider resume", subject: name, detail });
      return true;
    });
    if (!written) continue;
    // Queues what has waited, and clears the alert.
    await wake("recover", {});
    return { changed: true };
  }
  throw new Refusal(409, "provider_changing", { provider: name });
}
