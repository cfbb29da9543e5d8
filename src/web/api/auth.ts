import type { FastifyInstance } from "fastify";
import { Refusal } from "../../base/errors.ts";
import type { Db } from "../../db/schema.ts";
import { findToken } from "../../ops/keys.ts";
import { limitFailures } from "../limits.ts";

declare module "fastify" {
  interface FastifyRequest {
    /** The name of the token that the request came with. */
    actor: string;
  }
}

const failuresPerMinute = 30;

/** Lets in only requests with a token of ours (RFC 6750). A token is looked up by its hash, so timing tells nothing of it. */
export function demandToken(web: FastifyInstance, db: Db): void {
  const countFailure = limitFailures(web, failuresPerMinute);
  web.decorateRequest("actor", "");
  web.addHook("onRequest", async (request, reply) => {
    reply.header("cache-control", "no-store");
    const token = /^Bearer +([\w.~+/=-]{1,500})$/i.exec(request.headers.authorization ?? "")?.[1];
    const name = token === undefined ? null : await findToken(db, token);
    if (name === null) {
      await countFailure(request);
      reply.header("www-authenticate", token === undefined ? "Bearer" : 'Bearer error="invalid_token"');
      const what = token === undefined ? "This address needs a token" : "The token is not one of this server's";
      throw new Refusal(
        401,
        `${what}: send "Authorization: Bearer TOKEN", with the token of DAYLETTER_TOKEN or of the file "token" in DATA_DIR.`,
      );
    }
    request.actor = name;
  });
}
