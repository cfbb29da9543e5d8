import { z } from "zod";
import type { App } from "../../app.ts";
import { linkFirst, setupUrl } from "../../operators/links.ts";
import {
  addOperator,
  disableOperator,
  enableOperator,
  linkOperator,
  listOperators,
  resetCodes,
  setRole,
} from "../../operators/operators.ts";
import { roles } from "../../operators/roles.ts";
import { addToken, listTokens, revokeToken } from "../../operators/tokens.ts";
import { problems } from "./shapes.ts";
import type { ApiServer } from "./server.ts";

type AppDeps = Pick<App, "config" | "options" | "clock" | "db">;

const role = z
  .enum(roles)
  .describe(
    "Viewers can see everything, editors can also change content and send editions, and owners can do everything",
  );
export const operatorSchema = z
  .object({
    id: z.int(),
    name: z.string(),
    role,
    state: z.enum(["invited", "active", "disabled"]),
    oneTimeCodes: z.boolean(),
    tokens: z
      .array(z.string())
      .describe("Names of valid tokens that the operator created; disabling the operator revokes them"),
    createdAt: z.date(),
    signedInAt: z.date().nullable(),
  })
  .meta({ id: "Operator" });
export const invitedSchema = operatorSchema.extend({
  link: z
    .string()
    .describe("Link for the operator to choose a password; works once, within three days, and is only shown here"),
});
export const tokenSchema = z
  .object({
    id: z.int(),
    name: z.string(),
    role,
    createdAt: z.date(),
    expiresAt: z.date().nullable(),
    usedAt: z.date().nullable().describe("Rounded to the minute"),
    madeBy: z.int().nullable().describe("ID of the operator who created it; null for tokens from the settings"),
  })
  .meta({ id: "Token" });
export const newTokenSchema = tokenSchema.extend({ token: z.string().describe("Only shown here") });

const which = z.object({ which: z.string().min(1).max(100).describe("ID or name") });
const name = z.string().max(200);
const config = { role: "owner" } as const;

/** Operators, and tokens for programs. */
export function addPeopleRoutes(server: ApiServer, app: AppDeps): void {
  addOperatorRoutes(server, app);
  addTokenRoutes(server, app);
}

function addOperatorRoutes(server: ApiServer, app: AppDeps): void {
  const tags = ["operators"];
  const linked = <T extends { token: string }>({ token, ...operator }: T): Omit<T, "token"> & { link: string } => ({
    ...operator,
    link: setupUrl(app.config.publicUrl, token),
  });

  server.get(
    "/operators",
    {
      config,
      schema: {
        summary: "List operators",
        tags,
        response: { 200: z.object({ operators: z.array(operatorSchema) }), ...problems },
      },
    },
    async () => ({ operators: await listOperators(app.db, app.clock.now()) }),
  );

  server.post(
    "/operators",
    {
      config,
      schema: {
        summary: "Add an operator",
        tags,
        body: z.strictObject({ name, role }),
        response: { 201: invitedSchema, ...problems },
      },
    },
    async ({ body, actor }, reply) => reply.code(201).send(linked(await addOperator(app, { ...body, actor }))),
  );

  server.post(
    "/operators/link",
    {
      config,
      schema: {
        summary: "Create a setup link for the first operator",
        tags,
        response: {
          201: z.object({ link: z.string().describe("Works once, within 24 hours, and is only shown here") }),
          ...problems,
        },
      },
    },
    async ({ actor }, reply) => reply.code(201).send(await linkFirst(app, actor)),
  );

  server.post(
    "/operators/:which/link",
    {
      config,
      schema: {
        summary: "Create a setup link for an operator who lost their password or phone",
        tags,
        params: which,
        response: { 201: invitedSchema, ...problems },
      },
    },
    async ({ params, actor }, reply) => reply.code(201).send(linked(await linkOperator(app, params.which, actor))),
  );

  server.post(
    "/operators/:which/disable",
    {
      config,
      schema: {
        summary: "Disable an operator, end their sessions and revoke the tokens they created",
        tags,
        params: which,
        response: { 200: operatorSchema.extend({ revokedTokens: z.array(z.string()) }), ...problems },
      },
    },
    async ({ params, actor }) => disableOperator(app, params.which, actor),
  );

  for (const { method, path, summary, act } of [
    {
      method: "POST",
      path: "enable",
      summary: "Enable a disabled operator; revoked tokens stay revoked",
      act: enableOperator,
    },
    {
      method: "DELETE",
      path: "codes",
      summary: "Turn off an operator's one-time codes, and end their sessions",
      act: resetCodes,
    },
  ]) {
    server.route({
      method,
      url: `/operators/:which/${path}`,
      config,
      schema: { summary, tags, params: which, response: { 200: operatorSchema, ...problems } },
      handler: async ({ params, actor }) => act(app, params.which, actor),
    });
  }

  server.put(
    "/operators/:which/role",
    {
      config,
      schema: {
        summary: "Change an operator's role",
        tags,
        params: which,
        body: z.strictObject({ role }),
        response: { 200: operatorSchema, ...problems },
      },
    },
    async ({ params, body, actor }) => setRole(app, params.which, body.role, actor),
  );
}

function addTokenRoutes(server: ApiServer, app: Pick<App, "clock" | "db">): void {
  const tags = ["tokens"];

  server.get(
    "/tokens",
    {
      config,
      schema: {
        summary: "List valid tokens",
        tags,
        response: { 200: z.object({ tokens: z.array(tokenSchema) }), ...problems },
      },
    },
    async () => ({ tokens: await listTokens(app.db, app.clock.now()) }),
  );

  server.post(
    "/tokens",
    {
      config,
      schema: {
        summary: "Create a token",
        tags,
        body: z.strictObject({
          name,
          role,
          days: z
            .int()
            .min(1)
            .max(3_650)
            .nullable()
            .default(null)
            .describe("Days until the token expires; null for never"),
        }),
        response: { 201: newTokenSchema, ...problems },
      },
    },
    async ({ body, operator }, reply) => reply.code(201).send(await addToken(app, { ...body, actor: operator })),
  );

  server.delete(
    "/tokens/:which",
    {
      config,
      schema: { summary: "Revoke a token", tags, params: which, response: { 200: tokenSchema, ...problems } },
    },
    async ({ params, actor }) => revokeToken(app, params.which, actor),
  );
}
