import rateLimit from "@fastify/rate-limit";
import { fastify, type FastifyInstance } from "fastify";
import type { App } from "../app.ts";
import { addChallengeRoute } from "./abuse/guard.ts";
import { addApi } from "./api/api.ts";
import { addAssetRoutes, makeAssets, showLogo } from "./assets.ts";
import { openToSites, addEmbed } from "./embed/embed.ts";
import { openCatalogue } from "./tag-cache.ts";
import { answerFailures, sendProblem, problemOf, listRoutes } from "./failures.ts";
import { addHealthRoutes } from "./health.ts";
import { addMetricsRoute } from "./metrics.ts";
import { addOperator } from "./operator/operator.ts";
import { addPages } from "./pages/pages.ts";
import { insistOnRoles, secure } from "./security.ts";
import { cutStalledBodies, requestMs } from "./limits.ts";
import { understandPorts } from "./this-machine.ts";
import { takeText } from "./bodies.ts";
import { openViews } from "./views.ts";

const bodyLimit = 1_000_000;
/** Of a part of a path: an operator's name of 60 characters, each of them four percent codes. */
const longestParam = 762;

/**
 * The web server's routes and rules, without listening; tests use its `inject`.
 * @param options.stalledMs see `cutStalledBodies`
 */
export function buildWeb(app: App, options: { stalledMs?: number } = {}): FastifyInstance {
  const { config, log, words, publication } = app;
  // Fastify's own log would hold addresses of pages, and those hold tokens.
  const web = fastify({
    logger: false,
    // Of one proxy: what it added itself, and not what the client wrote before that (OWASP ASVS 5.0, 15.3.4).
    trustProxy: config.trustProxy === true ? (_address, hop) => hop === 0 : config.trustProxy,
    bodyLimit,
    requestTimeout: requestMs,
    routerOptions: { maxParamLength: longestParam },
    frameworkErrors: (error, _request, reply) => sendProblem(reply, problemOf(error, undefined)),
  });
  understandPorts(web);
  const { publicationName, language } = config;
  const assets = makeAssets(config.accentColour, words);
  const policies = publication.links;
  const views = openViews({ publicationName, logo: showLogo(config.logo), language, words, assets, policies });
  const catalogue = openCatalogue(app);
  const routes = listRoutes(web);
  insistOnRoles(web);
  secure(web, config);
  cutStalledBodies(web, options.stalledMs);
  takeText(web);
  openToSites(web);
  web.register(rateLimit, { global: false });
  answerFailures(web, { log, views, routes });
  web.register(async (scope) => addAssetRoutes(scope, assets, config.logo));
  web.register(async (scope) => addHealthRoutes(scope, app));
  web.register(async (scope) => addMetricsRoute(scope, app, "all"));
  web.register(async (scope) => addChallengeRoute(scope, app));
  web.register(async (scope) => addEmbed(scope, app, { catalogue, words, policies }));
  web.register(async (scope) => addPages(scope, app, { views, catalogue }));
  web.register(async (scope) => addOperator(scope, app, views));
  web.register(async (scope) => addApi(scope, app));
  return web;
}
