import type { Readable } from "node:stream";
import swagger from "@fastify/swagger";
import type { FastifyInstance } from "fastify";
import { serializerCompiler } from "fastify-type-provider-zod";
import type { App } from "../../app.ts";
import { addAlertRoutes } from "./alerts.ts";
import { addArticleRoutes } from "./articles.ts";
import { demandToken } from "./auth.ts";
import { addDeliveryRoutes } from "./deliveries.ts";
import { addEditionRoutes } from "./editions.ts";
import { addEditorialRoutes } from "./editorial.ts";
import { limitValues } from "./limit-values.ts";
import { addLinkRoutes } from "./links.ts";
import { addListRoutes } from "./lists.ts";
import { addLogoRoutes } from "./logo.ts";
import { describeApi } from "./openapi.ts";
import { addPeopleRoutes } from "./operators.ts";
import { addPreviewRoutes } from "./preview.ts";
import { addScheduleRoutes } from "./schedule.ts";
import type { ApiServer } from "./server.ts";
import { addSourceRoutes } from "./sources.ts";
import { addStatusRoutes } from "./status.ts";
import { addSubscriberRoutes } from "./subscribers.ts";
import { addSuppressionRoutes } from "./suppressions.ts";
import { addTagRoutes } from "./tags.ts";
import { validatorCompiler } from "./validator.ts";
import { addWhyRoutes } from "./why.ts";

const areas = [
  addStatusRoutes,
  addSourceRoutes,
  addArticleRoutes,
  addTagRoutes,
  addEditionRoutes,
  addEditorialRoutes,
  addLinkRoutes,
  addDeliveryRoutes,
  addPreviewRoutes,
  addScheduleRoutes,
  addSubscriberRoutes,
  addWhyRoutes,
  addListRoutes,
  addSuppressionRoutes,
  addPeopleRoutes,
  addAlertRoutes,
  addLogoRoutes,
];

/** Adds `/api/v1`. All routes check a bearer token, the request and the response, and are in `/api/v1/openapi.json`. */
export async function addApi(web: FastifyInstance, app: App): Promise<void> {
  await web.register(swagger, describeApi(app.config.publicUrl));
  web.setValidatorCompiler(validatorCompiler);
  web.setSerializerCompiler(serializerCompiler);
  await web.register(
    async (scope) => {
      demandToken(scope, app);
      scope.addHook("preParsing", async (request, _reply, body) =>
        request.headers["content-type"]?.startsWith("application/json") ? limitValues(body as Readable) : body,
      );
      const server: ApiServer = scope.withTypeProvider();
      for (const add of areas) add(server, app);
    },
    { prefix: "/api/v1" },
  );
  web.get("/api/v1/openapi.json", { config: { role: "anyone" }, schema: { hide: true } }, async (_request, reply) =>
    reply.type("application/json").send(JSON.stringify(web.swagger())),
  );
}
