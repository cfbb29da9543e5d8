import { rmSync } from "node:fs";
import { join } from "node:path";
import { Refusal } from "../base/errors.ts";
import { readIfThere, writePrivate } from "../base/private-file.ts";
import type { Clock } from "../base/clock.ts";
import type { Db, Tx } from "../db/schema.ts";
import { writeAudit } from "../audit/audit.ts";
import { dropCodes } from "./codes.ts";
import { rememberDevice, endSessions, openSession } from "./sessions.ts";
import { nameKey, parseName } from "./names.ts";
import { demandNewPassword, hashPassword } from "./password.ts";
import type { Role } from "./roles.ts";
import { hashOf, newToken } from "./secrets.ts";
import { refuseTakenName } from "./tokens.ts";

const day = 24 * 3_600_000;
/** Owners pass setup links on by other channels, so they are valid for a few days. */
export const linkMs = 3 * day;

/** The first operator's link grants ownership, so it expires sooner. Each start creates a new one until it is used. */
const firstLinkMs = day;

/** The file that holds the first operator's link until it is used. */
export const setupFile = (dataDir: string): string => join(dataDir, "setup");

/** The address of a setup link. */
export function setupUrl(publicUrl: string, token: string): string {
  return `${publicUrl}/operator/setup/${token}`;
}

interface FirstDeps {
  db: Db;
  clock: Clock;
  options: { dataDir: string; publicUrl: string };
}

/**
 * Lets the first operator sign up. Until there is one, each start writes a new link to the file `setup` in the data folder.
 * It works once and expires after a day. The file is deleted when there is an operator.
 */
export async function ensureSetup({ db, clock, options }: FirstDeps): Promise<void> {
  if (await anyCameIn(db)) rmSync(setupFile(options.dataDir), { force: true });
  else await newFirstLink(db, options, clock.now());
}

/**
 * Creates a new link for the first operator.
 * @throws Refusal 409 if there are operators
 */
export async function linkFirst({ db, clock, options }: FirstDeps, actor: string): Promise<{ link: string }> {
  if (await anyCameIn(db)) throw new Refusal(409, "operators_exist");
  const now = clock.now();
  const link = await newFirstLink(db, options, now);
  await writeAudit(db, { at: now, actor, action: "operator link", subject: "first operator" });
  return { link };
}

/** Replaces this data folder's link. Links of other machines stay valid. */
async function newFirstLink(db: Db, options: FirstDeps["options"], now: Date): Promise<string> {
  const path = setupFile(options.dataDir);
  const former = readIfThere(path)?.split("/").at(-1) ?? "";
  await db
    .deleteFrom("operator_links")
    .where("operator_id", "is", null)
    .where((or) => or.or([or("hash", "=", hashOf(former)), or("expires_at", "is", null), or("expires_at", "<=", now)]))
    .execute();
  const { token, hash } = newToken();
  const expires_at = new Date(now.getTime() + firstLinkMs);
  await db.insertInto("operator_links").values({ hash, operator_id: null, created_at: now, expires_at }).execute();
  const url = setupUrl(options.publicUrl, token);
  writePrivate(path, url);
  return url;
}

/** Replaces an operator's link. @returns the new token */
export async function newLink(tx: Db | Tx, operatorId: number, now: Date): Promise<string> {
  const { token, hash } = newToken();
  await tx.deleteFrom("operator_links").where("operator_id", "=", operatorId).execute();
  await tx
    .insertInto("operator_links")
    .values({ hash, operator_id: operatorId, created_at: now, expires_at: new Date(now.getTime() + linkMs) })
    .execute();
  return token;
}

/** The owner of a link. `name` is null for the first operator, who chooses a name. */
export interface LinkOwner {
  operatorId: number | null;
  name: string | null;
  role: Role;
}

/** @throws Refusal 404 if the link was used, has expired or never existed */
export async function readLink(db: Db | Tx, token: string, now: Date): Promise<LinkOwner> {
  const row = await db
    .selectFrom("operator_links as l")
    .leftJoin("operators as o", "o.id", "l.operator_id")
    .select(["l.operator_id as operatorId", "o.name", "o.role", "o.disabled_at"])
    .where("l.hash", "=", hashOf(token))
    .where((or) => or.or([or("l.expires_at", "is", null), or("l.expires_at", ">", now)]))
    .executeTakeFirst();
  if (!row || row.disabled_at !== null) throw gone();
  return { operatorId: row.operatorId, name: row.name, role: row.role ?? "owner" };
}

/**
 * Uses a setup link once: sets the password, turns off one-time codes, ends the operator's sessions and opens a new one.
 * @returns the session's token and the device cookie
 * @throws Refusal 404, 409 if the name is in use, or 422 for a weak password or an invalid name
 */
export async function useLink(
  deps: {
    db: Db;
    clock: Clock;
    options: Parameters<typeof demandNewPassword>[2] & { dataDir: string; secret: string };
  },
  request: {
    token: string;
    name: string;
    password: string;
    repeated: string;
    /** The cookie that `rememberDevice` made, if the browser has one. */
    device: string | null;
    from: string;
    agent: string;
  },
): Promise<{ token: string; device: string }> {
  const { db, clock, options: config } = deps;
  const now = clock.now();
  const found = await readLink(db, request.token, now);
  const name = found.name ?? parseName(request.name);
  await demandNewPassword(request, name, config);
  const password = await hashPassword(request.password);
  const token = await db.transaction().execute(async (tx) => {
    const used = await tx
      .deleteFrom("operator_links")
      .where("hash", "=", hashOf(request.token))
      .returning("operator_id")
      .executeTakeFirst();
    if (!used) throw gone();
    const operatorId = found.operatorId ?? (await addFirst(tx, name, now));
    await tx.updateTable("operators").set({ password, signed_in_at: now }).where("id", "=", operatorId).execute();
    await dropCodes(tx, operatorId);
    await endSessions(tx, operatorId);
    await writeAudit(tx, {
      at: now,
      actor: name,
      action: "operator set up",
      subject: name,
      detail: { role: found.role },
    });
    return openSession(tx, { operatorId, from: request.from, agent: request.agent }, now);
  });
  if (found.operatorId === null) rmSync(setupFile(config.dataDir), { force: true });
  return { token, device: rememberDevice(config.secret, request.device, nameKey(name), now) };
}

/** If two first operators use links of two machines at once, one of them succeeds. */
async function addFirst(tx: Tx, name: string, now: Date): Promise<number> {
  await tx.deleteFrom("operator_links").where("operator_id", "is", null).execute();
  if (await anyCameIn(tx)) throw gone();
  await refuseTakenName(tx, name, now);
  const { id } = await tx
    .insertInto("operators")
    .values({ name, name_key: nameKey(name), role: "owner", created_at: now })
    .returning("id")
    .executeTakeFirstOrThrow();
  return id;
}

/** Whether any operator has used a link. Operators who are only invited cannot sign in. */
async function anyCameIn(db: Db | Tx): Promise<boolean> {
  const found = db.selectFrom("operators").select("id").where("password", "is not", null).limit(1);
  return (await found.executeTakeFirst()) !== undefined;
}

function gone(): Refusal {
  return new Refusal(404, "setup_link_invalid");
}
