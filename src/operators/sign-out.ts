import { writeAudit } from "../audit/audit.ts";
import type { Clock } from "../base/clock.ts";
import type { Db } from "../db/schema.ts";
import { endSession, endSessions } from "./sessions.ts";

interface SignOutDeps {
  db: Db;
  clock: Clock;
}

/** Ends the session of a browser. @param session.token from its cookie; null if the browser has lost it */
export async function signOut(
  { db, clock }: SignOutDeps,
  { token, name }: { token: string | null; name: string },
): Promise<void> {
  await db.transaction().execute(async (tx) => {
    if (token !== null) await endSession(tx, token);
    await writeAudit(tx, { at: clock.now(), actor: name, action: "operator sign out", subject: name });
  });
}

/** Ends one of an operator's own sessions, or all of them. */
export async function endOwnSessions(
  { db, clock }: SignOutDeps,
  operator: { id: number; name: string },
  only: { id?: number },
): Promise<void> {
  const { id, name } = operator;
  await db.transaction().execute(async (tx) => {
    const ended = await endSessions(tx, id, only);
    const action = "operator end sessions";
    await writeAudit(tx, { at: clock.now(), actor: name, action, subject: name, detail: { ended } });
  });
}
