import { randomUUID } from "node:crypto";
import type { App } from "../../src/app.ts";
import type { Clock } from "../../src/base/clock.ts";
import { loadConfig } from "../../src/config/load.ts";
import { connectQueue } from "../../src/queue/connection.ts";
import { createWake, openQueues } from "../../src/queue/queues.ts";
import type { Engines } from "./engines.ts";
import { openWorld, testEnv } from "./world.ts";

export interface TwoNodes {
  nodes: readonly [App, App];
  close(): Promise<void>;
}

/**
 * Two nodes on one database and one queue. The embedded engine lets one process in, so there the second node is another
 * set of queues in this process.
 * @param others settings of the second that are not those of the first
 */
export async function openTwoNodes(
  engines: Engines,
  clock: Clock,
  others: Record<string, string> = {},
): Promise<TwoNodes> {
  const { env, close } = await engines.open();
  const first = await openWorld({ env, clock });
  const second =
    env["DATABASE_URL"] === undefined
      ? beside(first.app, others)
      : await openWorld({ env: { ...env, ...others }, clock });
  return {
    nodes: [first.app, second.app],
    async close() {
      await second.close();
      await first.close();
      await close();
    },
  };
}

function beside(app: App, others: Record<string, string>): { app: App; close(): Promise<void> } {
  const queue = connectQueue({ kind: "embedded", pool: app.database.pool });
  const queues = openQueues(queue, { log: app.log, watch: app.engines.queue });
  const config = loadConfig(testEnv(app.config.dataDir, others));
  return {
    app: {
      ...app,
      config,
      options: { ...config, secret: app.options.secret },
      sender: randomUUID(),
      queue,
      queues,
      wake: createWake(queues, { log: app.log, watch: app.engines.queue }),
    },
    async close() {
      await Promise.all(Object.values(queues).map((one) => one.close()));
      await queue.close();
    },
  };
}
