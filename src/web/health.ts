import { sql } from "kysely";
import type { FastifyInstance } from "fastify";
import type { App } from "../app.ts";
import { reasonOf } from "../base/errors.ts";
import { deadAfterMs } from "../ledger/dead-senders.ts";
import { fromThisMachine } from "./this-machine.ts";
import { within } from "../base/async.ts";
import { englishWording } from "../texts/catalogue.ts";

const patienceMs = 2_000;
const { say } = englishWording();

type Deps = Pick<App, "db" | "queue" | "sender">;

/**
 * `/healthz`: this process does its work, or a restart would help. `/readyz`: so does all it needs. 503 with the reasons
 * otherwise; on a public server others than this machine learn only which part is at fault, since a reason names hosts.
 * @param ended of a worker: the queues that it takes no job from any more
 */
export function addHealthRoutes(web: FastifyInstance, deps: Deps, ended?: () => string[]): void {
  web.addHook("onRequest", async (_request, reply) => void reply.header("cache-control", "no-store"));
  web.get("/healthz", async (_request, reply) => {
    const reasons = (ended?.() ?? []).map((queue) => say("health.worker_ended", { queue }));
    return reasons.length === 0 ? { status: "ok" } : reply.code(503).send({ status: "not ok", reasons });
  });
  web.get("/readyz", async (request, reply) => {
    const inFull = ended !== undefined || fromThisMachine(request);
    const checks: Record<string, () => Promise<unknown>> = {
      records: () => sql`select 1`.execute(deps.db),
      queue: () => deps.queue.ping(),
      sender: () => senderBeats(deps, ended !== undefined),
    };
    const found = await Promise.all(
      Object.entries(checks).map(async ([name, check]) => [name, await fault(check)] as const),
    );
    const reasons = found.flatMap(([name, reason]) => (reason === null ? [] : [inFull ? `${name}: ${reason}` : name]));
    return reply
      .code(reasons.length === 0 ? 200 : 503)
      .send({ status: reasons.length === 0 ? "ready" : "not ready", reasons });
  });
}

async function fault(check: () => Promise<unknown>): Promise<string | null> {
  try {
    await within(patienceMs, check());
    return null;
  } catch (error) {
    return reasonOf(error);
  }
}

/** Only a process that delivers has a row; one without has nothing to prove. By the database's clock, as the beat is. */
async function senderBeats({ db, sender }: Deps, delivers: boolean): Promise<void> {
  const { rows } = await sql<{ beat_at: Date; late: boolean }>`
    select beat_at, beat_at <= clock_timestamp() - make_interval(secs => ${deadAfterMs / 1_000}) as late
    from senders where id = ${sender}`.execute(db);
  const [row] = rows;
  if (!row && delivers) throw new Error(say("health.sender_dead"));
  if (row?.late) throw new Error(say("health.sender_late", { time: row.beat_at.toISOString() }));
}
