import { sql } from "kysely";
import type { FastifyInstance } from "fastify";
import type { App } from "../app.ts";
import { reasonOf } from "../base/errors.ts";
import { deadAfterMs } from "../deliveries/senders.ts";
import { within } from "./within.ts";

const patienceMs = 2_000;

type Deps = Pick<App, "db" | "queue" | "clock" | "sender">;

/** `/healthz`: this process answers. `/readyz`: so does all it needs; 503 with the reasons otherwise. */
export function addHealthRoutes(web: FastifyInstance, deps: Deps): void {
  web.addHook("onRequest", async (_request, reply) => void reply.header("cache-control", "no-store"));
  web.get("/healthz", async () => ({ status: "ok" }));
  web.get("/readyz", async (_request, reply) => {
    const checks: Record<string, () => Promise<unknown>> = {
      records: () => sql`select 1`.execute(deps.db),
      queue: () => deps.queue.ping(),
      sender: () => senderBeats(deps),
    };
    const found = await Promise.all(
      Object.entries(checks).map(async ([name, check]) => [name, await fault(check)] as const),
    );
    const reasons = found.flatMap(([name, reason]) => (reason === null ? [] : [`${name}: ${reason}`]));
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

/** Only a process that delivers has a row; one without has nothing to prove. */
async function senderBeats({ db, clock, sender }: Deps): Promise<void> {
  const row = await db.selectFrom("senders").select("beat_at").where("id", "=", sender).executeTakeFirst();
  if (row && clock.now().getTime() - row.beat_at.getTime() > deadAfterMs) {
    throw new Error(`it was last heard of at ${row.beat_at.toISOString()}`);
  }
}
