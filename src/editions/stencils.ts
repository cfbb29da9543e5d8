import { sql } from "kysely";
import type { Db, Tx } from "../db/schema.ts";
import { reasonColumns, type Reason } from "../db/edition-reason.ts";
import { moveEdition } from "./state.ts";
import { stencilVersion, type Stencil } from "../render/types.ts";

/**
 * Keeps the stencil and moves the edition from opening to sending, or to held until `approveBy`, in one step.
 * @returns false when somebody else has moved it on, or cancelled it, meanwhile
 */
export async function startSending(
  db: Db,
  editionId: number,
  start: { stencil: Stencil; reason: Reason | null; now: Date; held?: { approveBy: Date | null } | undefined },
): Promise<boolean> {
  const { stencil, reason, now, held } = start;
  const also = {
    stencil: asJson(stencil),
    ...reasonColumns(reason),
    ...(held ? { approve_by: held.approveBy } : {}),
  };
  return moveEdition(db, { id: editionId, from: "opening", event: held ? "hold" : "start", also }, { now });
}

export async function keepStencil(db: Db | Tx, editionId: number, stencil: Stencil): Promise<void> {
  await db
    .updateTable("editions")
    .set({ stencil: asJson(stencil) })
    .where("id", "=", editionId)
    .execute();
}

const asJson = (stencil: Stencil): never => JSON.stringify(stencil) as never;

/** The stencil, if this release can read it. */
export async function loadStencil(db: Db, editionId: number): Promise<Stencil | null> {
  const row = await db.selectFrom("editions").select("stencil").where("id", "=", editionId).executeTakeFirst();
  const stencil = row?.stencil as Stencil | null | undefined;
  return stencil?.version === stencilVersion ? stencil : null;
}

/** A newer release's stencil is left alone: its nodes send that edition. */
const rendered = sql<boolean>`coalesce((stencil ->> 'version')::int >= ${stencilVersion}, false)`;

export async function isRendered(db: Db, editionId: number): Promise<boolean> {
  const row = await db.selectFrom("editions").select(rendered.as("is")).where("id", "=", editionId).executeTakeFirst();
  return row?.is ?? false;
}

/** Editions that cannot be sent before somebody has rendered them, oldest first. */
export async function unrenderedEditions(db: Db): Promise<number[]> {
  const rows = await db
    .selectFrom("editions")
    .select("id")
    .where((eb) => eb.or([eb("state", "=", "opening"), eb.and([eb("state", "=", "sending"), eb.not(rendered)])]))
    .orderBy("id")
    .execute();
  return rows.map((row) => row.id);
}
