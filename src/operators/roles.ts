import { Refusal } from "../base/errors.ts";

/** Roles of operators and tokens. Each includes the permissions of those before it. */
export const roles = ["viewer", "editor", "owner"] as const;
export type Role = (typeof roles)[number];

/** The signed-in operator, or the program behind a token. */
export interface Actor {
  /** The operator's id, or that of the operator who created the token; null for tokens from settings. */
  id: number | null;
  name: string;
  role: Role;
}

export function allows(role: Role, needed: Role): boolean {
  return roles.indexOf(role) >= roles.indexOf(needed);
}

/** @throws Refusal 403 if the actor's role is too low */
export function demandRole(actor: Pick<Actor, "name" | "role">, needed: Role): void {
  if (allows(actor.role, needed)) return;
  throw new Refusal(403, "role_required", { name: actor.name, role: actor.role, needed });
}
