import { openApp, type App } from "../app.ts";
import { createLog } from "../base/console-log.ts";
import { nextSteps } from "../ops/next-steps.ts";
import { status } from "../ops/status.ts";
import { startWeb } from "../server.ts";
import { startWorker } from "../worker.ts";
import type { Context } from "./context.ts";
import { startHealth } from "./health.ts";
import type { Role } from "./serve.ts";
import { listenForStop } from "./stop.ts";
import type { Terminal } from "./terminal.ts";

/** For what is at the relay when the process is told to stop. */
const graceMs = 10_000;

/** Runs the server's parts that `role` names until a signal comes, then ends them in order. */
export async function runServer({ terminal, config: load }: Context, role: Role): Promise<void> {
  const config = load();
  const log = createLog(config.logLevel, process.stdout);
  const signals = listenForStop();
  const app = await openApp(config, { log, command: role });
  const closing: (() => Promise<void>)[] = [() => app.close(graceMs)];
  try {
    if (role !== "web") {
      const worker = await startWorker(app);
      closing.push(() => worker.stop(graceMs));
    }
    const web = await (role === "worker" ? startHealth(app) : startWeb(app));
    closing.push(() => web.stop());
    if (!signals.stopped()) await introduce(terminal, app, role, web.url);
    log.info({ role, url: web.url }, "ready");
    await signals.stop;
    log.info({}, "stopping");
  } finally {
    for (const step of closing.reverse()) await step();
    signals.forget();
  }
  log.info({}, "stopped");
}

/** Where to look, how things stand, and what to do next. */
async function introduce(terminal: Terminal, app: App, role: Role, url: string): Promise<void> {
  const { done, next } = nextSteps(await status(app), app.config);
  terminal.err(
    [
      "",
      `  ${app.config.publicationName}: dayletter ${role} at ${url}`,
      "",
      ...done.map((sentence) => `  ${sentence}`),
      ...(next.length > 0 ? ["", "  Next:", ...next.map((sentence) => `  - ${sentence}`)] : []),
      "",
    ].join("\n"),
  );
}
