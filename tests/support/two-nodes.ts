import { randomUUID } from "node:crypto";
import type { App } from "../../src/app.ts";
import type { Clock } from "../../src/base/clock.ts";
import { connectQueue } from "../../src/queue/connection.ts";
import { createWake, openQueues } from "../../src/queue/queues.ts";
import type { Engines } from "./engines.ts";
import { openWorld } from "./world.ts";

export interface TwoNodes {
  nodes: readonly [App, App];
  close(): Promise<void>;
}

/**
 * Two nodes on one database and one queue. The embedded engine lets one process in, so there the second node is another
 * set of queues in this process.
 */
export async function openTwoNodes(engines: Engines, clock: Clock): Promise<TwoNodes> {
  const { env, close } = await engines.open();
  const first = await openWorld({ env, clock });
  const second = env["DATABASE_URL"] === undefined ? beside(first.app) : await openWorld({ env, clock });
  return {
    nodes: [first.app, second.app],
    async close() {
      await second.close();
      await first.close();
      await close();
    },
  };
}

function beside(app: App): { app: App; close(): Promise<void> } {
  const queue = connectQueue({ kind: "embedded", pool: app.database.pool });
  const queues = openQueues(queue, app.log);
  return {
    app: { ...app, sender: randomUUID(), queue, queues, wake: createWake(queues, app.log) },
    async close() {
      await Promise.all(Object.values(queues).map((one) => one.close()));
      await queue.close();
    },
  };
}
