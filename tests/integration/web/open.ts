import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { FastifyInstance, InjectOptions, LightMyRequestResponse } from "fastify";
import { openApp, type App } from "../../../src/app.ts";
import { silentLog, type Log } from "../../../src/base/log.ts";
import { loadConfig } from "../../../src/config/load.ts";
import { renderEdition } from "../../../src/editions/render.ts";
import { buildWeb } from "../../../src/web/build.ts";

export const token = "a-token-that-is-long-enough-for-tests";

export interface OpenWeb {
  app: App;
  web: FastifyInstance;
  /** Moves with `clock.at`. */
  clock: { at: Date; now(): Date };
  errors: object[];
  /** A request with the token; `body` goes as JSON. */
  api(
    method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE",
    path: string,
    body?: object,
  ): Promise<LightMyRequestResponse>;
  inject(options: InjectOptions): Promise<LightMyRequestResponse>;
  /** Makes the stencil of today's edition, as a worker would. */
  render(id: number): Promise<void>;
  close(): Promise<void>;
}

/** A server on a data folder of its own, which listens nowhere. */
export async function openWeb(
  env: Record<string, string> = {},
  outside: Pick<Parameters<typeof openApp>[1], "fetchDocument"> = {},
): Promise<OpenWeb> {
  const dir = await mkdtemp(join(tmpdir(), "dayletter-web-"));
  const clock = { at: new Date("2026-11-24T08:00:00Z"), now: () => clock.at };
  const errors: object[] = [];
  const log: Log = { ...silentLog, error: (fields) => void errors.push(fields) };
  const config = loadConfig({
    DATA_DIR: dir,
    DAYLETTER_TOKEN: token,
    PUBLICATION_NAME: "Telecoms Daily",
    PUBLIC_URL: "https://alerts.example.com",
    ...env,
  });
  const app = await openApp(config, { log, command: "test", clock, ...outside });
  const web = buildWeb(app);
  const inject = (options: InjectOptions): Promise<LightMyRequestResponse> => web.inject(options);
  return {
    app,
    web,
    clock,
    errors,
    inject,
    api: (method, url, body) =>
      inject({
        method,
        url: `/api/v1${url}`,
        headers: { authorization: `Bearer ${token}` },
        ...(body ? { payload: body } : {}),
      }),
    render: async (id) => void (await renderEdition(app, id)),
    async close() {
      await web.close();
      await app.close(0);
      await rm(dir, { recursive: true, force: true });
    },
  };
}

/** An article as the API takes it. */
export function article(n: number, tags: string[], more: object = {}): object {
  return { url: `https://news.example.com/${n}`, title: `Headline ${n}`, summary: `Summary ${n}.`, tags, ...more };
}
