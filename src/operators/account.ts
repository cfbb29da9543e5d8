import type { Clock } from "../base/clock.ts";
import { Refusal } from "../base/errors.ts";
import type { Db } from "../db/schema.ts";
import { writeAudit } from "../audit/audit.ts";
import { demandNewPassword, demandPassword, hashPassword } from "./password.ts";
import { endSessions, openSession, type Session } from "./sessions.ts";

interface Deps {
  db: Db;
  clock: Clock;
  options: Parameters<typeof demandNewPassword>[2];
}

/**
 * Changes an operator's own password and ends all sessions, including this one.
 * @returns the token of the new session
 * @throws Refusal 422
 */
export async function changePassword(
  { db, clock, options }: Deps,
  session: Session,
  request: { present: string; password: string; repeated: string; from: string; agent: string },
): Promise<string> {
  const { id, name } = session.operator;
  const row = await db.selectFrom("operators").select("password").where("id", "=", id).executeTakeFirstOrThrow();
  await demandPassword(row, request.present);
  await demandNewPassword(request, name, options);
  const password = await hashPassword(request.password);
  const now = clock.now();
  return db.transaction().execute(async (tx) => {
    const { numUpdatedRows } = await tx
      .updateTable("operators")
      .set({ password })
      .where("id", "=", id)
      .where("password", "=", row.password)
      .executeTakeFirst();
    if (numUpdatedRows === 0n) throw new Refusal(409, "password_changed");
    await endSessions(tx, id);
    await writeAudit(tx, { at: now, actor: name, action: "operator password", subject: name });
    return openSession(tx, { operatorId: id, from: request.from, agent: request.agent }, now);
  });
}
