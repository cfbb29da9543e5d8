import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { sql } from "kysely";
import type { App } from "../app.ts";
import { Refusal, reasonOf } from "../base/errors.ts";

/** `/healthz` (the process lives) and `/readyz` (records and queue answer) for a worker, which has no pages. */
export async function startHealth(app: App): Promise<{ url: string; stop(): Promise<void> }> {
  const { host, port } = app.config;
  const server = createServer((request, response) => {
    const answer = (code: number, text: string): void => {
      response
        .writeHead(code, { "content-type": "text/plain; charset=utf-8", "cache-control": "no-store" })
        .end(`${text}\n`);
    };
    const path = request.url?.split("?")[0];
    if (path === "/healthz") answer(200, "ok");
    else if (path === "/readyz") {
      ready(app).then(
        () => answer(200, "ready"),
        (error: unknown) => {
          app.log.warn({ reason: reasonOf(error) }, "not ready");
          answer(503, "not ready");
        },
      );
    } else answer(404, "A worker has /healthz and /readyz only.");
  });
  try {
    server.listen(port, host);
    await once(server, "listening");
  } catch (error) {
    throw new Refusal(
      409,
      `${host}:${port} cannot be listened on (${reasonOf(error)}): set HOST and PORT for this worker.`,
    );
  }
  const shown = host.includes(":") ? `[${host}]` : host;
  return {
    url: `http://${shown}:${(server.address() as AddressInfo).port}`,
    async stop() {
      server.close();
      server.closeAllConnections();
      if (server.listening) await once(server, "close");
    },
  };
}

async function ready({ db, queue }: App): Promise<void> {
  await sql`select 1`.execute(db);
  await queue.ping();
}
