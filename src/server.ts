import { rmSync } from "node:fs";
import type { AddressInfo } from "node:net";
import type { FastifyInstance } from "fastify";
import type { App } from "./app.ts";
import { Refusal, reasonOf } from "./base/errors.ts";
import { readIfThere, writePrivate } from "./base/private-file.ts";
import { addressFile } from "./operations/keys.ts";
import { buildWeb } from "./web/build.ts";
import { buildWorkerWeb } from "./web/build-worker.ts";

/** For requests at hand, once the server is told to stop: whoever never ends theirs must not keep it from the rest. */
const requestGraceMs = 3_000;

export interface RunningWeb {
  /** Where this machine reaches it. */
  url: string;
  /**
   * Takes no new request, finishes those at hand within three seconds, cuts what is not done then, and takes its address
   * out of the data folder.
   */
  stop(): Promise<void>;
}

/**
 * Serves the pages and the API, and writes its address into the data folder, where the command line finds it.
 * @throws Refusal when HOST and PORT cannot be listened on
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
      "address could not be written, the command line needs DAYLETTER_URL",
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
 * Serves a worker's probes and metrics; the command line does not look for it.
 * @throws Refusal when HOST and PORT cannot be listened on
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

/** An address to call where one listens on all of them. */
function reachable(host: string): string {
  if (host === "0.0.0.0") return "127.0.0.1";
  if (host === "::") return "[::1]";
  return host.includes(":") ? `[${host}]` : host;
}

function listenRefusal(error: unknown, host: string, port: number): Refusal {
  const { code } = error as NodeJS.ErrnoException;
  if (code === "EADDRINUSE") {
    return new Refusal(409, `Port ${port} on ${host} is in use: end the program that has it, or set PORT to another.`);
  }
  if (code === "EACCES")
    return new Refusal(403, `Port ${port} needs more rights than this user has: set PORT to 1024 or more.`);
  return new Refusal(422, `HOST=${host}, PORT=${port} cannot be listened on: ${reasonOf(error)}.`);
}
