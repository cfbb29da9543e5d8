import type { FastifyInstance } from "fastify";
import type { App } from "../app.ts";
import { Refusal, reasonOf } from "../base/errors.ts";
import { leadsToLoopback } from "../config/parse-values.ts";
import { findToken } from "../operators/tokens.ts";
import {
  many,
  measures,
  type MetricsDeps,
  startProcessMeter,
  type ProcessDeps,
  metricsType,
  writeMetrics,
  type Metric,
} from "../alerts/metrics.ts";
import { limitFailures } from "./limits.ts";
import { shared, within } from "../base/async.ts";
import { fromThisMachine } from "./this-machine.ts";

const patienceMs = 5_000;
const failuresPerMinute = 30;

type Deps = Pick<App, "config" | "log"> & MetricsDeps & ProcessDeps;

/**
 * `/metrics` for Prometheus. Requests need a token of any role, except from this machine if the server has no public address:
 * behind a proxy, every request would come from this machine. Concurrent requests share one set of queries.
 * @param about the publication and this process, or only this process where another one reports on the publication
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
      throw new Refusal(401, "authentication_required");
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
