import type { Db } from "../db/schema.ts";
import type { Edition } from "../editions/store.ts";
import type { Stencil } from "../render/types.ts";
import { loadGateFacts } from "./gate-facts.ts";
import { gateFindings } from "./gate.ts";

export interface HoldOptions {
  approval: "off" | "hold" | "send";
  approvalMinutes: number;
  gate: "on" | "off";
}

export interface Hold {
  /** A sentence for the edition's page. */
  reason: string;
  /** When nobody needs to decide any more; null for never. */
  approveBy: Date | null;
}

const minuteMs = 60_000;

/**
 * Why a rendered edition must not go out yet; null when it may. What the gate finds waits for a person whatever the
 * deadline says, and what an operator sent by hand has been approved by that.
 */
export async function whyHeld(
  db: Db,
  { edition, stencil, now }: { edition: Edition; stencil: Stencil; now: Date },
  options: HoldOptions,
): Promise<Hold | null> {
  if (edition.approved_by !== null) return null;
  const found = options.gate === "on" ? gateFindings(await loadGateFacts(db, edition, stencil, now)) : [];
  if (found.length > 0) return { reason: `Held to be looked at: ${found.join(" ")}`, approveBy: null };
  if (options.approval === "off" || edition.selected === 0) return null;
  // On the minute, as it is shown.
  const frozen = Math.floor((edition.frozen_at ?? now).getTime() / minuteMs);
  const approveBy = new Date((frozen + options.approvalMinutes) * minuteMs);
  const until = `until ${clockTime(approveBy, edition.timezone)}`;
  const then = options.approval === "send" ? "then it goes out by itself" : "and stays held if none comes";
  return { reason: `It waits for approval ${until}, ${then}.`, approveBy };
}

/** `08:00 (Europe/Berlin)`. */
export function clockTime(at: Date, timezone: string): string {
  const time = new Intl.DateTimeFormat("en-GB", { timeStyle: "short", timeZone: timezone }).format(at);
  return `${time} (${timezone})`;
}
