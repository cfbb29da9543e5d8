import { rmSync } from "node:fs";
import type { AddressInfo } from "node:net";
import type { FastifyInstance } from "fastify";
import type { App } from "./app.ts";
import { Refusal, reasonOf } from "./base/errors.ts";
import { readIfThere, writePrivate } from "./base/private-file.ts";
import { addressFile } from "./operators/data-folder.ts";
import { buildWeb } from "./web/build.ts";
import { buildWorkerWeb } from "./web/build-worker.ts";

/** Time for open requests when the server stops. A client that never finishes its request must not block the stop. */
const requestGraceMs = 3_000;

export interface RunningWeb {
  /** The server's address on this machine. */
  url: string;
  /**
   * Accepts no new requests, gives open ones three seconds, closes the remaining connections, and removes the address
   * from the data folder.
   */
  stop(): Promise<void>;
}

/**
 * Serves the pages and the API, and writes the address to the data folder, where the command line finds it.
 * @throws Refusal when the server cannot listen on HOST and PORT
 */
export async function startWeb(app: App): Promise<RunningWeb> {
  const web = await listen(app, buildWeb(app));
  const { url } = web;
  const file = addressFile(app.config.dataDir);
  try {
    writePrivate(file, url);
  } catch (error) {
    app.log.warn(
      { file, reason: reasonOf(error) },
      "the address file could not be written, so the command line needs DAYLETTER_URL",
    );
  }
  return {
    url,
    async stop() {
      await web.stop();
      if (readIfThere(file) === url) rmSync(file, { force: true });
    },
  };
}

/**
 * Serves a worker's probes and metrics.
 * @throws Refusal when the server cannot listen on HOST and PORT
 */
export async function startWorkerWeb(app: App, ended: () => string[]): Promise<RunningWeb> {
  return listen(app, buildWorkerWeb(app, ended));
}

async function listen({ config }: App, web: FastifyInstance): Promise<RunningWeb> {
  const { host, port } = config;
  try {
    await web.listen({ host, port });
  } catch (error) {
    await web.close();
    throw listenRefusal(error, host, port);
  }
  const url = `http://${reachable(host)}:${(web.server.address() as AddressInfo).port}`;
  return { url, stop: () => closeInTime(web) };
}

async function closeInTime(web: FastifyInstance): Promise<void> {
  const late = setTimeout(() => web.server.closeAllConnections(), requestGraceMs);
  try {
    await web.close();
  } finally {
    clearTimeout(late);
  }
}

/** A host to connect to, if the server listens on all addresses. */
function reachable(host: string): string {
  if (host === "0.0.0.0") return "127.0.0.1";
  if (host === "::") return "[::1]";
  return host.includes(":") ? `[${host}]` : host;
}

function listenRefusal(error: unknown, host: string, port: number): Refusal {
  const { code } = error as NodeJS.ErrnoException;
  if (code === "EADDRINUSE") {
    return new Refusal(409, "port_in_use", { host, port });
  }
  if (code === "EACCES") return new Refusal(403, "port_forbidden", { port });
  return new Refusal(422, "listen_failed", { host, port, reason: reasonOf(error) });
}
