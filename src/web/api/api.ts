import type { Readable } from "node:stream";
import swagger from "@fastify/swagger";
import type { FastifyInstance } from "fastify";
import { serializerCompiler } from "fastify-type-provider-zod";
import type { HookDeps } from "../../outcomes/hooks/receive.ts";
import { addAlertRoutes } from "./alerts.ts";
import { addArticleRoutes } from "./articles.ts";
import { demandToken, limitValues, describeApi, type ApiServer, validatorCompiler } from "./server.ts";
import { addBounceTestRoutes } from "./bounce-test.ts";
import { addDeliveryRoutes } from "./deliveries.ts";
import { addEditionRoutes, addLinkRoutes } from "./editions.ts";
import { addEditorialRoutes, addPreviewRoutes } from "./editorial.ts";
import { addHookRoutes } from "./hooks.ts";
import { addListRoutes } from "./lists.ts";
import { addOutcomeRoutes } from "./outcomes.ts";
import { addPeopleRoutes } from "./operators.ts";
import { addProviderRoutes } from "./providers.ts";
import { addRelayRoutes } from "./relay.ts";
import { addScheduleRoutes } from "./schedule.ts";
import { addSourceRoutes } from "./sources.ts";
import { addStatusRoutes } from "./status.ts";
import { addSubscriberRoutes, addWhyRoutes } from "./subscribers.ts";
import { addSuppressionRoutes } from "./suppressions.ts";
import { addTagRoutes } from "./tags.ts";
import { addWarmUpRoutes } from "./warm-up.ts";

const areas = [
  addStatusRoutes,
  addSourceRoutes,
  addArticleRoutes,
  addTagRoutes,
  addEditionRoutes,
  addEditorialRoutes,
  addLinkRoutes,
  addDeliveryRoutes,
  addOutcomeRoutes,
  addBounceTestRoutes,
  addPreviewRoutes,
  addScheduleRoutes,
  addSubscriberRoutes,
  addWhyRoutes,
  addListRoutes,
  addSuppressionRoutes,
  addPeopleRoutes,
  addAlertRoutes,
  addProviderRoutes,
  addRelayRoutes,
  addWarmUpRoutes,
];

/** What the routes need between them. */
type AppDeps = (typeof areas)[number] extends (server: ApiServer, app: infer Deps) => void ? Deps : never;

/**
 * Adds `/api/v1`. All routes check a bearer token, the request and the response, and are in `/api/v1/openapi.json`. Only those of
 * webhooks check something else than a token.
 */
export async function addApi(web: FastifyInstance, app: AppDeps & HookDeps): Promise<void> {
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
  await web.register(async (scope) => addHookRoutes(scope, app), { prefix: "/api/v1" });
  web.get("/api/v1/openapi.json", { config: { role: "anyone" }, schema: { hide: true } }, async (_request, reply) =>
    reply.type("application/json").send(JSON.stringify(web.swagger())),
  );
}
