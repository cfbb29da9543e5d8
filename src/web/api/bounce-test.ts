import { z } from "zod";
import type { App } from "../../app.ts";
import { deliveryStates } from "../../ledger/state.ts";
import { bounceKinds } from "../../outcomes/bounce-kind.ts";
import { type BounceTest, endBounceTest, getBounceTest, startBounceTest } from "../../outcomes/bounce-test.ts";
import { outcomeInWords } from "../../texts/deliveries.ts";
import type { ApiServer } from "./server.ts";
import { id, problems } from "./shapes.ts";

export const bounceTestSchema = z
  .object({
    id: z.int(),
    address: z.string().describe("Where the email went. The address doesn't exist"),
    state: z.enum(deliveryStates).describe("`rejected`: the relay refused the email"),
    detail: z.string().nullable().describe("What the relay replied, or why the email was not sent"),
    kind: z.enum(bounceKinds).nullable().describe("What the bounce or the relay's refusal says about the address"),
    startedAt: z.date(),
    returned: z
      .object({ at: z.date(), code: z.string().nullable(), text: z.string().nullable() })
      .nullable()
      .describe("The bounce; null until it has come back"),
  })
  .meta({ id: "BounceTest" });

/** A test that bounces come back. */
export function addBounceTestRoutes(
  server: ApiServer,
  app: Pick<App, "db" | "clock" | "wake" | "caps" | "options">,
): void {
  const tags = ["suppressions"];
  const responses = { 200: bounceTestSchema, ...problems };

  server.post(
    "/bounce-tests",
    {
      config: { role: "owner" },
      schema: {
        summary: "Send an email that must bounce",
        description:
          "It goes to a random address at the domain of `MAIL_FROM`. Requires `BOUNCE_ADDRESS` and a relay. Delete the test when you have seen the result.",
        tags,
        response: responses,
      },
    },
    async ({ actor }) => show(await startBounceTest(app, actor), app),
  );

  server.get(
    "/bounce-tests/:id",
    {
      config: { role: "owner" },
      schema: { summary: "See whether the bounce has come back", tags, params: id, response: responses },
    },
    ({ params }) => show(params.id, app),
  );

  server.delete(
    "/bounce-tests/:id",
    {
      config: { role: "owner" },
      schema: { summary: "Remove a bounce test", tags, params: id, response: { 204: z.null(), ...problems } },
    },
    async ({ params }, reply) => {
      await endBounceTest(app, params.id);
      return reply.code(204).send(null);
    },
  );
}

async function show(of: number, { db }: Pick<App, "db">): Promise<z.input<typeof bounceTestSchema>> {
  const { address, state, reason, kind, createdAt, returned }: BounceTest = await getBounceTest(db, of);
  return { id: of, address, state, detail: outcomeInWords(reason), kind, startedAt: createdAt, returned };
}
