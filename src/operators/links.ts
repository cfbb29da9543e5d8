import { rmSync } from "node:fs";
import { join } from "node:path";
import { Refusal } from "../base/errors.ts";
import { readIfThere, writePrivate } from "../base/private-file.ts";
import type { Clock } from "../base/clock.ts";
import type { Db, Tx } from "../db/schema.ts";
import { writeAudit } from "../audit/audit.ts";
import { dropCodes } from "./codes.ts";
import { rememberDevice } from "./devices.ts";
import { nameKey, parseName } from "./names.ts";
import { demandNewPassword, hashPassword } from "./password.ts";
import type { Role } from "./roles.ts";
import { hashOf, newToken } from "./secrets.ts";
import { endSessions, openSession } from "./sessions.ts";
import { refuseTakenName } from "./tokens.ts";

const day = 24 * 3_600_000;
/** A link to set a password goes by some other way than us, so it may wait for a few days. */
export const linkMs = 3 * day;

/** Whoever opens the first operator's link owns the publication. Each start makes a new one while nobody has. */
const firstLinkMs = day;

/** Where the link for the publication's first operator is kept until it was used. */
export const setupFile = (dataDir: string): string => join(dataDir, "setup");

/** The address of a set-up link. */
export function setupUrl(publicUrl: string, token: string): string {
  return `${publicUrl}/operator/setup/${token}`;
}

interface FirstDeps {
  db: Db;
  clock: Clock;
  options: { dataDir: string; publicUrl: string };
}

/**
 * Sees to it that the first operator can sign up: as long as nobody has, each start puts a new link into the file `setup` in
 * the data folder, which works once and for a day. With operators, the file goes.
 */
export async function ensureSetup({ db, clock, options }: FirstDeps): Promise<void> {
  if (await anyCameIn(db)) rmSync(setupFile(options.dataDir), { force: true });
  else await newFirstLink(db, options, clock.now());
}

/**
 * A new link for the first operator.
 * @throws Refusal 409 when there are operators
 */
export async function linkFirst({ db, clock, options }: FirstDeps, actor: string): Promise<{ link: string }> {
  if (await anyCameIn(db)) throw new Refusal(409, "operators_exist");
  const now = clock.now();
  const link = await newFirstLink(db, options, now);
  await writeAudit(db, { at: now, actor, action: "operator link", subject: "first operator" });
  return { link };
}

/** In place of the one that this data folder holds: other machines have links of their own. */
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

/** A new link for an operator, in place of older ones. @returns its token */
export async function newLink(tx: Db | Tx, operatorId: number, now: Date): Promise<string> {
  const { token, hash } = newToken();
  await tx.deleteFrom("operator_links").where("operator_id", "=", operatorId).execute();
  await tx
    .insertInto("operator_links")
    .values({ hash, operator_id: operatorId, created_at: now, expires_at: new Date(now.getTime() + linkMs) })
    .execute();
  return token;
}

/** Whom a link is for; `name` is null where the first operator chooses one. */
export interface LinkOwner {
  operatorId: number | null;
  name: string | null;
  role: Role;
}

/** @throws Refusal 404 for a link that was used, is too old, or never was one */
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
 * Uses a set-up link, once: sets the password, turns one-time codes off, ends the operator's sessions and opens a new one.
 * @returns the session's token, and what the browser is known by
 * @throws Refusal 404, 409 for a name that is in use, or 422 for a weak password or a name that is none
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

/** Of two first operators at once, by links of two machines, one comes in. */
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

/** Whether any operator has used a link; those who were only invited cannot sign in. */
async function anyCameIn(db: Db | Tx): Promise<boolean> {
  const found = db.selectFrom("operators").select("id").where("password", "is not", null).limit(1);
  return (await found.executeTakeFirst()) !== undefined;
}

function gone(): Refusal {
  return new Refusal(404, "setup_link_invalid");
}
