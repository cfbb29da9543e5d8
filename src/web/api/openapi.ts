import type { FastifyDynamicSwaggerOptions } from "@fastify/swagger";
import { jsonSchemaTransform, jsonSchemaTransformObject } from "fastify-type-provider-zod";

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
