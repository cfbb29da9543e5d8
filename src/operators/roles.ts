import { Refusal } from "../base/errors.ts";

/** What an operator or a token may do, from least to most; each may do all that those before it may. */
export const roles = ["viewer", "editor", "owner"] as const;
export type Role = (typeof roles)[number];

/** Who asks: an operator who signed in, or a program by its token. */
export interface Actor {
  /** Of the operator, or of the one whom a token goes back to; null for tokens of the settings. */
  id: number | null;
  name: string;
  role: Role;
}

export function allows(role: Role, needed: Role): boolean {
  return roles.indexOf(role) >= roles.indexOf(needed);
}

/** @throws Refusal 403 that says which role it takes */
export function demandRole(actor: Pick<Actor, "name" | "role">, needed: Role): void {
  if (allows(actor.role, needed)) return;
  throw new Refusal(403, "role_required", { name: actor.name, role: actor.role, needed });
}
