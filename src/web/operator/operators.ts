import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { App } from "../../app.ts";
import { Refusal } from "../../base/errors.ts";
import { setupUrl } from "../../operators/links.ts";
import { disabledText, nameKey } from "../../operators/names.ts";
import {
  addOperator,
  disableOperator,
  enableOperator,
  linkOperator,
  listOperators,
  resetCodes,
  setRole,
} from "../../operators/operators.ts";
import { roles, type Role } from "../../operators/roles.ts";
import type { Session } from "../../operators/sessions.ts";
import { addToken, listTokens, revokeToken } from "../../operators/tokens.ts";
import { readFields, type Fields } from "../pages/fields.ts";
import { moment } from "./moment.ts";
import type { OperatorViews } from "./scope.ts";

const owner = { config: { role: "owner" } } as const;
const here = "/operator/people";
const mostDays = 3_650;

/** A result that is shown only once. */
interface Made {
  label: string;
  /** The text to copy, or null. */
  text: string | null;
}

/** `/operator/people`: operators and tokens. For owners. */
export function addPeoplePage(scope: FastifyInstance, app: App, views: OperatorViews): void {
  const { db, clock, config } = app;

  async function show(
    request: FastifyRequest,
    reply: FastifyReply,
    more: { sentence?: string; made?: Made } = {},
  ): Promise<FastifyReply> {
    const operators = await listOperators(db, clock.now());
    const tokens = await listTokens(db, clock.now());
    return views.send(request, reply, "people", {
      title: "Operators and tokens",
      roles,
      sentence: more.sentence ?? null,
      made: more.made ?? null,
      operators: operators.map((one) => ({
        ...one,
        path: `${here}/${one.id}`,
        signedIn: one.signedInAt === null ? "never" : moment(one.signedInAt),
      })),
      tokens: tokens.map((one) => ({
        ...one,
        path: `${here}/tokens/${one.id}/revoke`,
        used: one.usedAt === null ? "never" : moment(one.usedAt),
        expires: one.expiresAt === null ? "never" : moment(one.expiresAt),
      })),
    });
  }

  /** Handles a form. New links and tokens are shown in the answer itself, because they cannot be shown again. */
  function form(
    path: string,
    work: (fields: Fields, actor: Session["operator"], which: string) => Promise<Made | void>,
  ): void {
    scope.post<{ Params: { which?: string } }>(path, owner, async (request, reply) => {
      try {
        const made = await work(
          readFields(request.body),
          request.operatorSession!.operator,
          request.params.which ?? "",
        );
        return made ? await show(request, reply, { made }) : reply.redirect(here, 303);
      } catch (error) {
        if (!(error instanceof Refusal)) throw error;
        return show(request, reply.code(error.status), { sentence: error.message });
      }
    });
  }

  const link = ({ name, token }: { name: string; token: string }): Made => ({
    label: `Send this setup link to ${name}. It works once, expires in three days and is not shown again:`,
    text: setupUrl(config.publicUrl, token),
  });

  /** An open session must not bypass the password and code that the account page asks for. */
  function refuseOwn(which: string, { id, name }: Session["operator"]): void {
    if (which === String(id) || nameKey(which) === nameKey(name))
      throw new Refusal(409, "own_credentials", { path: "/operator/account" });
  }

  scope.get(here, owner, (request, reply) => show(request, reply));
  form(here, async (fields, { name: actor }) =>
    link(await addOperator(app, { name: fields.one("name"), role: readRole(fields), actor })),
  );
  form(`${here}/:which/link`, async (_fields, actor, which) => {
    refuseOwn(which, actor);
    return link(await linkOperator(app, which, actor.name));
  });
  form(`${here}/:which/codes`, async (_fields, actor, which) => {
    refuseOwn(which, actor);
    const { name } = await resetCodes(app, which, actor.name);
    return { label: `One-time codes for ${name} are off. All of their sessions have ended.`, text: null };
  });
  form(
    `${here}/:which/role`,
    async (fields, actor, which) => void (await setRole(app, which, readRole(fields), actor.name)),
  );
  form(`${here}/:which/disable`, async (_fields, actor, which) => {
    const { name, revokedTokens } = await disableOperator(app, which, actor.name);
    return { label: disabledText(name, revokedTokens), text: null };
  });
  form(`${here}/:which/enable`, async (_fields, actor, which) => void (await enableOperator(app, which, actor.name)));
  form(`${here}/tokens`, async (fields, actor) => {
    const request = { name: fields.one("name"), role: readRole(fields), days: readDays(fields), actor };
    const { name, token } = await addToken(app, request);
    return { label: `Token ${name} was created. Copy it now. It is not shown again.`, text: token };
  });
  form(
    `${here}/tokens/:which/revoke`,
    async (_fields, actor, which) => void (await revokeToken(app, which, actor.name)),
  );
}

function readRole(fields: Fields): Role {
  const role = roles.find((one) => one === fields.one("role"));
  if (role) return role;
  throw new Refusal(422, "role_not_chosen", { roles: roles.join(", ") });
}

function readDays(fields: Fields): number | null {
  const days = fields.one("days").trim();
  if (days === "") return null;
  if (/^\d{1,4}$/.test(days) && Number(days) >= 1 && Number(days) <= mostDays) return Number(days);
  throw new Refusal(422, "token_lifetime_invalid", { most: mostDays });
}
