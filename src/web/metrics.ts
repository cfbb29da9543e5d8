import type { FastifyInstance } from "fastify";
import type { App } from "../app.ts";
import { Refusal, reasonOf } from "../base/errors.ts";
import { leadsToLoopback } from "../config/readers.ts";
import { findToken } from "../operators/tokens.ts";
import { many, measures, type MetricsDeps } from "../operations/metrics.ts";
import { startProcessMeter, type ProcessDeps } from "../operations/process-metrics.ts";
import { metricsType, writeMetrics, type Metric } from "../operations/prometheus.ts";
import { limitFailures } from "./limits.ts";
import { shared } from "../base/share-answers.ts";
import { fromThisMachine } from "./this-machine.ts";
import { within } from "../base/within.ts";

const patienceMs = 5_000;
const failuresPerMinute = 30;

type Deps = Pick<App, "config" | "log"> & MetricsDeps & ProcessDeps;

/**
 * `/metrics` for Prometheus: to a token of any role, and to whoever asks from this machine where nobody else can. A server
 * with a public address cannot tell them from strangers behind a proxy; a worker's has none. Scrapers that ask at the
 * same time share one look at the database.
 * @param about the publication and this process; or this process alone, where others tell of the publication
 */
export function addMetricsRoute(web: FastifyInstance, app: Deps, about: "all" | "process"): void {
  const countFailure = limitFailures(web, failuresPerMinute);
  const meter = startProcessMeter(app);
  web.addHook("onClose", async () => meter.stop());
  const publication = shared(async () => (about === "all" ? measurePublication(app) : []));

  const isPrivate = about === "process" || leadsToLoopback(app.config.publicUrl);

  web.get("/metrics", async (request, reply) => {
    reply.header("cache-control", "no-store");
    if (!(isPrivate && fromThisMachine(request)) && !(await hasToken(app, request.headers.authorization))) {
      await countFailure(request);
      reply.header("www-authenticate", "Bearer");
      throw new Refusal(401, 'This address needs a token: send "Authorization: Bearer TOKEN".');
    }
    return reply.type(metricsType).send(writeMetrics([...(await publication()), ...meter.measure()]));
  });
}

async function hasToken({ db, clock }: MetricsDeps, header = ""): Promise<boolean> {
  const token = /^Bearer +([\w.~+/=-]{1,500})$/i.exec(header)?.[1];
  return token !== undefined && (await findToken(db, token, clock.now())) !== null;
}

async function measurePublication(app: Deps): Promise<Metric[]> {
  const parts = await Promise.all(
    Object.entries(measures).map(async ([part, measure]) => {
      try {
        return { part, metrics: await within(patienceMs, measure(app)) };
      } catch (error) {
        app.log.warn({ part, reason: reasonOf(error) }, "could not be measured");
        return { part, metrics: null };
      }
    }),
  );
  const up = parts.map(({ part, metrics }) => ({ labels: { part }, value: metrics === null ? 0 : 1 }));
  return [
    many("dayletter_measured", "Whether a part could be measured", up),
    ...parts.flatMap((one) => one.metrics ?? []),
  ];
}
