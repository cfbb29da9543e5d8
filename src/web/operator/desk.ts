import type { FastifyReply, FastifyRequest } from "fastify";
import { allows, type Role } from "../../operators/roles.ts";
import type { OperatorViews } from "./scope.ts";

/** The sections of the menu. */
export type Place = "today" | "editions" | "schedule" | "readers" | "tags" | "sources" | "site";

/** Answers with a page of templates/web/operator, with the permissions of the signed-in operator. */
export type Show = (
  request: FastifyRequest,
  reply: FastifyReply,
  page: { name: string; title: string; place: Place },
  values: Record<string, unknown>,
) => Promise<FastifyReply>;

/** Route options for the required role. */
export const needs = {
  viewer: { config: { role: "viewer" } },
  editor: { config: { role: "editor" } },
  owner: { config: { role: "owner" } },
} as const satisfies Record<Role, { config: { role: Role } }>;

export function openDesk(views: OperatorViews): Show {
  return (request, reply, { name, title, place }, values) => {
    const { role } = request.operator;
    const may = { edit: allows(role, "editor"), own: allows(role, "owner") };
    return views.send(request, reply, name, { title, place, may, ...values });
  };
}
