import type {
  FastifyBaseLogger,
  FastifyInstance,
  RawReplyDefaultExpression,
  RawRequestDefaultExpression,
  RawServerDefault,
  FastifySchemaCompiler,
} from "fastify";
import { type ZodTypeProvider, jsonSchemaTransform, jsonSchemaTransformObject } from "fastify-type-provider-zod";
import type { z } from "zod";
import { Transform, type Readable } from "node:stream";
import type { FastifyDynamicSwaggerOptions } from "@fastify/swagger";
import type { App } from "../../app.ts";
import { Refusal } from "../../base/errors.ts";
import { demandRole, type Actor } from "../../operators/roles.ts";
import { findToken } from "../../operators/tokens.ts";
import { actingFrom } from "../../audit/audit.ts";
import { limitFailures } from "../limits.ts";
import { faultsOf, sayFault } from "../invalid.ts";

/** The part of the server below /api/v1, whose schemas are Zod's. */
export type ApiServer = FastifyInstance<
  RawServerDefault,
  RawRequestDefaultExpression,
  RawReplyDefaultExpression,
  FastifyBaseLogger,
  ZodTypeProvider
>;

declare module "fastify" {
  interface FastifyRequest {
    /** Name of the request's token. */
    actor: string;
  }
}

const failuresPerMinute = 30;

/**
 * Accepts only requests with a valid token (RFC 6750) that has the role in the route's `config.role`, by default owner. Tokens
 * are looked up by their hash, so the response time reveals nothing about them.
 */
export function demandToken(web: FastifyInstance, { db, clock }: Pick<App, "db" | "clock">): void {
  const countFailure = limitFailures(web, failuresPerMinute);
  web.decorateRequest("actor", "");
  web.decorateRequest("operator", null as unknown as Actor);
  web.addHook("onRequest", async (request, reply) => {
    reply.header("cache-control", "no-store");
    const token = /^Bearer +([\w.~+/=-]{1,500})$/i.exec(request.headers.authorization ?? "")?.[1];
    const actor = token === undefined ? null : await findToken(db, token, clock.now());
    if (actor === null) {
      await countFailure(request);
      reply.header("www-authenticate", token === undefined ? "Bearer" : 'Bearer error="invalid_token"');
      throw new Refusal(401, token === undefined ? "authentication_required" : "token_invalid");
    }
    request.actor = actor.name;
    request.operator = actor;
    const { role = "owner" } = request.routeOptions.config;
    if (role === "anyone") return;
    try {
      demandRole(actor, role);
    } catch (error) {
      reply.header("www-authenticate", 'Bearer error="insufficient_scope"');
      throw error;
    }
  });
  web.addHook("preHandler", (request, _reply, done) => actingFrom(request.ip, done));
}

const mostFaults = 20;

/** Validates a part of a request. @throws Refusal 422 with a list of faults */
export const validatorCompiler: FastifySchemaCompiler<z.ZodType> =
  ({ schema }) =>
  (data: unknown) => {
    const result = schema.safeParse(data);
    if (result.success) return { value: result.data };
    const faults = faultsOf(result.error.issues.slice(0, mostFaults), data).map((fault) => ({
      ...fault,
      sentence: sayFault(fault),
    }));
    return { error: new Refusal(422, "request_invalid", { reason: faults[0]!.sentence, faults }) };
  };

/** Lists, objects, fields and items in a JSON body. 1,000 articles with 30 tags each have 41,000. */
const mostValues = 100_000;
/** Largest JSON body of any route, in bytes. */
const longestBody = 10_000_000;

const [quote, backslash, comma, openList, openObject] = Buffer.from('"\\,[{');

/**
 * Counts the values of a JSON body while it arrives. A body of 10 MB can hold three million values, which take seconds to
 * parse and to validate. It is read to its end, so that the client gets the answer.
 * @throws Refusal 413 for a body with more than 100,000 values
 */
export function limitValues(body: Readable): Readable {
  let values = 0;
  let bytes = 0;
  let inText = false;
  let escaped = false;
  const refusal = (): Refusal => new Refusal(413, "too_many_values", { most: mostValues });
  const counted = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      bytes += chunk.length;
      for (const byte of chunk) {
        if (escaped) escaped = false;
        else if (inText) {
          if (byte === quote) inText = false;
          else if (byte === backslash) escaped = true;
        } else if (byte === quote) inText = true;
        else if (byte === comma || byte === openList || byte === openObject) values += 1;
      }
      if (values <= mostValues) done(null, chunk);
      else if (bytes > longestBody) done(refusal());
      else done();
    },
    flush: (done) => done(values > mostValues ? refusal() : null),
  });
  body.on("error", (error) => counted.destroy(error));
  return body.pipe(counted);
}

/** Settings for the OpenAPI document of all routes. */
export function describeApi(publicUrl: string): FastifyDynamicSwaggerOptions {
  return {
    openapi: {
      openapi: "3.1.0",
      info: {
        title: "Dayletter",
        version: "1",
        description:
          "Timestamps are in ISO 8601 format, in UTC. Dates are in the publication's time zone. Errors are problem documents (RFC 9457).",
      },
      servers: [{ url: publicUrl }],
      components: {
        securitySchemes: {
          bearer: {
            type: "http",
            scheme: "bearer",
            description:
              "A token from `dayletter tokens add`, the value of DAYLETTER_TOKEN, or the content of the file `token` in DATA_DIR.",
          },
        },
      },
      security: [{ bearer: [] }],
    },
    transform: jsonSchemaTransform,
    transformObject: jsonSchemaTransformObject,
  };
}
