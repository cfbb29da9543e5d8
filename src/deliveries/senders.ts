import { hostname } from "node:os";
import { sql } from "kysely";
import type { Db } from "../db/schema.ts";

/** A sender that has not been heard of for this long is dead; it beats six times in that time. */
export const deadAfterMs = 30_000;
export const beatEveryMs = 5_000;

/** Writes down that this process is alive. Claims belong to a sender and die with it. */
export async function beat(db: Db, sender: string, now: Date): Promise<void> {
  await db
    .insertInto("senders")
    .values({ id: sender, host: hostname(), pid: process.pid, started_at: now, beat_at: now })
    .onConflict((conflict) => conflict.column("id").doUpdateSet({ beat_at: now }))
    .execute();
}

export async function signOff(db: Db, sender: string): Promise<void> {
  await db.deleteFrom("senders").where("id", "=", sender).execute();
}

/** Forgets senders of this very machine whose process is gone, so that a restart need not wait until they count as dead. */
export async function forgetGoneNeighbours(db: Db): Promise<void> {
  const rows = await db.selectFrom("senders").select(["id", "pid"]).where("host", "=", hostname()).execute();
  const gone = rows.filter((row) => !isRunning(row.pid)).map((row) => row.id);
  if (gone.length > 0) await db.deleteFrom("senders").where("id", "in", gone).execute();
}

function isRunning(pid: number): boolean {
  // In a container every first process has pid 1: a row with our own pid is a predecessor's.
  if (pid === process.pid) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

/**
 * Takes the claims of dead senders: each may have reached the final dot, so it becomes 'unknown' and waits for an
 * operator, or is sent again where the publication chose so (UNKNOWN_POLICY=resend).
 * @param heardSince senders that beat before this instant are dead
 * @param self the sender that asks: it is alive, even if the clock has just jumped
 * @returns how many claims were taken
 */
export async function sweepDeadClaims(
  db: Db,
  options: { heardSince: Date; now: Date; self: string; policy: "hold" | "resend" },
): Promise<number> {
  const { numAffectedRows } = await sql`
    update deliveries d set
      state = ${options.policy === "hold" ? "unknown" : "pending"},
      settled_at = ${options.policy === "hold" ? options.now : null},
      reply = 'the sender stopped before the relay''s answer was written down'
    where d.state = 'sending' and d.claim <> ${options.self}::uuid and not exists (
      select 1 from senders s where s.id = d.claim and s.beat_at >= ${options.heardSince}
    )`.execute(db);
  await db.deleteFrom("senders").where("beat_at", "<", options.heardSince).where("id", "<>", options.self).execute();
  return Number(numAffectedRows ?? 0n);
}
