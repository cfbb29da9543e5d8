import type { FastifyInstance } from "fastify";
import type { App } from "../../app.ts";
import { challengeCost } from "../../abuse/limits.ts";
import { newChallenge } from "../../abuse/proof.ts";

/** `/challenge`: a puzzle for the browser, new every time; its solution goes into the field `altcha`. */
export function addChallengeRoute(web: FastifyInstance, app: Pick<App, "caps" | "clock" | "options">): void {
  web.get("/challenge", async (_request, reply) => {
    const cost = (await app.caps.strained()) ? challengeCost.strained : challengeCost.usual;
    return reply
      .header("cache-control", "no-store")
      .send(await newChallenge(app.options.secret, cost, app.clock.now()));
  });
}
