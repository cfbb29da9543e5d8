import { createHmac, randomBytes, timingSafeEqual } from "node:crypto";
import type { Db, Tx } from "../db/schema.ts";
import type { Role } from "./roles.ts";
import { hashOf, newToken } from "./secrets.ts";

const hour = 3_600_000;
/** Sessions end after 12 hours without use, and after two weeks in any case (ASVS 5.0, 7.3.1 and 7.3.2). */
const idleMs = 12 * hour;
export const absoluteMs = 14 * 24 * hour;
const noteEveryMs = 60_000;

export interface Session {
  id: number;
  operator: {
    id: number;
    name: string;
    role: Role;
    /** Whether one-time codes are on. */
    codes: boolean;
    /** Whether a recovery code was used that the operator has not seen yet. */
    recoveryUsed: boolean;
  };
  /** The hash of its token. */
  hash: Buffer;
}

interface SessionLine {
  id: number;
  createdAt: Date;
  seenAt: Date;
  from: string;
  agent: string;
}

/** @returns the token for the cookie; only its hash is stored */
export async function openSession(
  db: Db | Tx,
  who: { operatorId: number; from: string; agent: string },
  now: Date,
): Promise<string> {
  const { token, hash } = newToken();
  await db
    .insertInto("operator_sessions")
    .values({
      operator_id: who.operatorId,
      hash,
      created_at: now,
      seen_at: now,
      came_from: who.from,
      agent: who.agent.slice(0, 200),
    })
    .execute();
  return token;
}

/**
 * The session of a token, or null when there is none, it has ended, or its operator is disabled.
 * @param by `page` for automatic requests of an open page, which do not extend the session
 */
export async function findSession(
  db: Db,
  token: string,
  now: Date,
  by: "operator" | "page" = "operator",
): Promise<Session | null> {
  const row = await good(db, hashOf(token), now)
    .select(["s.id", "s.hash", "s.seen_at", "o.id as operatorId", "o.name", "o.role"])
    .select((of) => [
      of("o.totp_salt", "is not", null).as("codes"),
      of
        .exists(
          of
            .selectFrom("operator_recovery_codes as r")
            .select("r.id")
            .whereRef("r.operator_id", "=", "o.id")
            .where("r.used_at", "is not", null)
            .where("r.seen_at", "is", null),
        )
        .as("recoveryUsed"),
    ])
    .executeTakeFirst();
  if (!row) return null;
  if (by === "operator" && now.getTime() - row.seen_at.getTime() > noteEveryMs) {
    await db.updateTable("operator_sessions").set({ seen_at: now }).where("id", "=", row.id).execute();
  }
  const { id, hash, operatorId, name, role, codes, recoveryUsed } = row;
  return {
    id,
    hash,
    operator: { id: operatorId, name, role, codes: Boolean(codes), recoveryUsed: Boolean(recoveryUsed) },
  };
}

/** Whether a session is still valid. */
export async function goesOn(db: Db, { hash }: Session, now: Date): Promise<boolean> {
  return (await good(db, hash, now).select("s.id").executeTakeFirst()) !== undefined;
}

function good(db: Db, hash: Buffer, now: Date) {
  return db
    .selectFrom("operator_sessions as s")
    .innerJoin("operators as o", "o.id", "s.operator_id")
    .where("s.hash", "=", hash)
    .where("s.seen_at", ">", before(now, idleMs))
    .where("s.created_at", ">", before(now, absoluteMs))
    .where("o.disabled_at", "is", null);
}

/** An operator's open sessions, last used first. */
export async function listSessions(db: Db, operatorId: number, now: Date): Promise<SessionLine[]> {
  return db
    .selectFrom("operator_sessions")
    .select(["id", "created_at as createdAt", "seen_at as seenAt", "came_from as from", "agent"])
    .where("operator_id", "=", operatorId)
    .where("seen_at", ">", before(now, idleMs))
    .where("created_at", ">", before(now, absoluteMs))
    .orderBy("seen_at", "desc")
    .execute();
}

/** Ends the session of a token, if there is one. */
export async function endSession(db: Db | Tx, token: string): Promise<void> {
  await db.deleteFrom("operator_sessions").where("hash", "=", hashOf(token)).execute();
}

/** Ends one session of an operator, or all of them. @returns how many */
export async function endSessions(db: Db | Tx, operatorId: number, only: { id?: number } = {}): Promise<number> {
  const { numDeletedRows } = await db
    .deleteFrom("operator_sessions")
    .where("operator_id", "=", operatorId)
    .$if(only.id !== undefined, (query) => query.where("id", "=", only.id!))
    .executeTakeFirst();
  return Number(numDeletedRows);
}

/** Deletes expired sessions. */
export async function dropEndedSessions(db: Db | Tx, now: Date): Promise<void> {
  await db
    .deleteFrom("operator_sessions")
    .where((or) => or.or([or("seen_at", "<=", before(now, idleMs)), or("created_at", "<=", before(now, absoluteMs))]))
    .execute();
}

function before(now: Date, ms: number): Date {
  return new Date(now.getTime() - ms);
}

/** A browser is remembered for a year after its last sign-in. */
export const deviceMs = 365 * 24 * 3_600_000;
/** Maximum number of operators remembered per browser. */
const mostKept = 4;

/**
 * Checks whether a browser has signed in to an account before. Known browsers have their own allowance of attempts and no
 * other privilege (OWASP, "Slow Down Online Guessing Attacks with Device Cookies").
 * @param cookie a value from `rememberDevice`, or anything else
 * @param account the normalised name of an operator, who need not exist
 * @returns the browser's identifier, or null
 */
export function knownDevice(secret: string, cookie: string | null, account: string, now: Date): string | null {
  return partsOf(cookie).find((part) => isOf(secret, part, account, now)) ?? null;
}

/** The cookie of a browser that has just signed in. It does not reveal the account name. */
export function rememberDevice(secret: string, cookie: string | null, account: string, now: Date): string {
  const id = `${randomBytes(16).toString("base64url")}.${now.getTime().toString(36)}`;
  const others = partsOf(cookie).filter((part) => !isOf(secret, part, account, now));
  return [`${id}.${mac(secret, id, account)}`, ...others].slice(0, mostKept).join("~");
}

function partsOf(cookie: string | null): string[] {
  return (cookie ?? "").split("~", mostKept).filter((part) => /^[\w-]{22}\.[a-z0-9]{1,11}\.[\w-]{43}$/.test(part));
}

function isOf(secret: string, part: string, account: string, now: Date): boolean {
  const end = part.lastIndexOf(".");
  const id = part.slice(0, end);
  const wanted = Buffer.from(mac(secret, id, account));
  const age = now.getTime() - parseInt(id.split(".")[1]!, 36);
  return timingSafeEqual(Buffer.from(part.slice(end + 1)), wanted) && age < deviceMs;
}

function mac(secret: string, id: string, account: string): string {
  return createHmac("sha256", secret).update(`device:${id}:${account}`).digest("base64url");
}
