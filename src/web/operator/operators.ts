import { nameKey } from "../../operators/names.ts";
import { englishWording, sayFailure } from "../../texts/catalogue.ts";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { App } from "../../app.ts";
import { Refusal } from "../../base/errors.ts";
import { setupUrl } from "../../operators/links.ts";
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
import { utcMinute } from "./format.ts";
import type { OperatorViews } from "./dashboard.ts";

const { say } = englishWording();

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
export function addPeoplePage(
  scope: FastifyInstance,
  app: Pick<App, "config" | "clock" | "db">,
  views: OperatorViews,
): void {
  const { db, clock, config } = app;

  async function show(
    request: FastifyRequest,
    reply: FastifyReply,
    more: { sentence?: string; refused?: Fields; form?: string; made?: Made } = {},
  ): Promise<FastifyReply> {
    const operators = await listOperators(db, clock.now());
    const tokens = await listTokens(db, clock.now());
    return views.send(request, reply, "people", {
      title: say("title.people"),
      roles,
      // At the form that was refused; above all forms if it has no input.
      sentence: more.form === undefined ? (more.sentence ?? null) : null,
      typed: typedIn(more, here),
      typedToken: typedIn(more, `${here}/tokens`),
      made: more.made ?? null,
      operators: operators.map((one) => ({
        ...one,
        path: `${here}/${one.id}`,
        signedIn: one.signedInAt === null ? say("when.never") : utcMinute(one.signedInAt),
      })),
      tokens: tokens.map((one) => ({
        ...one,
        path: `${here}/tokens/${one.id}/revoke`,
        used: one.usedAt === null ? say("when.never") : utcMinute(one.usedAt),
        expires: one.expiresAt === null ? say("when.never") : utcMinute(one.expiresAt),
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
        const typed =
          path === here || path === `${here}/tokens` ? { form: path, refused: readFields(request.body) } : {};
        return show(request, reply.code(error.status), { sentence: sayFailure(error), ...typed });
      }
    });
  }

  const link = ({ name, token }: { name: string; token: string }): Made => ({
    label: say("people.link", { name }),
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
    return { label: say("people.codes_off", { name }), text: null };
  });
  form(
    `${here}/:which/role`,
    async (fields, actor, which) => void (await setRole(app, which, readRole(fields), actor.name)),
  );
  form(`${here}/:which/disable`, async (_fields, actor, which) => {
    const { name, revokedTokens } = await disableOperator(app, which, actor.name);
    const values = { name, n: revokedTokens.length, tokens: revokedTokens.join(", ") };
    return { label: englishWording().say("operator.disabled", values), text: null };
  });
  form(`${here}/:which/enable`, async (_fields, actor, which) => void (await enableOperator(app, which, actor.name)));
  form(`${here}/tokens`, async (fields, actor) => {
    const request = { name: fields.one("name"), role: readRole(fields), days: readDays(fields), actor };
    const { name, token } = await addToken(app, request);
    return { label: say("people.token_created", { name }), text: token };
  });
  form(
    `${here}/tokens/:which/revoke`,
    async (_fields, actor, which) => void (await revokeToken(app, which, actor.name)),
  );
}

/** The input of a refused form and what is wrong; empty for another form. */
function typedIn(more: { sentence?: string; refused?: Fields; form?: string }, form: string) {
  const own = more.form === form;
  const typed = (name: string): string => (own ? (more.refused?.one(name) ?? "") : "");
  return {
    name: typed("name"),
    role: typed("role"),
    days: typed("days"),
    wrong: own ? (more.sentence ?? null) : null,
  };
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
