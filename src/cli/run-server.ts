import { setTimeout as wait } from "node:timers/promises";
import { openApp, type App } from "../app.ts";
import { createLog } from "../base/console-log.ts";
import { readIfThere } from "../base/private-file.ts";
import { Refusal, reasonOf } from "../base/errors.ts";
import { ownSettings } from "../config/load.ts";
import type { OwnSettings } from "../config/own.ts";
import { setupFile } from "../operators/links.ts";
import { nextSteps } from "../operations/next-steps.ts";
import { status } from "../operations/status.ts";
import { compareSettings } from "../schedule/keep.ts";
import { startWeb, startWorkerWeb } from "../server.ts";
import { within } from "../base/within.ts";
import { beginWork, prepareWorker, type RunningWorker } from "../worker.ts";
import type { Context } from "./context.ts";
import type { Role } from "./serve.ts";
import { listenForStop } from "./stop.ts";
import type { Terminal } from "./terminal.ts";

/** For what is at the relay when the process is told to stop. */
const graceMs = 10_000;
/** For everything else to be closed; what hangs longer is left, since the database knows the rest. */
const closeMs = graceMs + 5_000;
const queuePatienceMs = 5_000;

/**
 * Runs the server's parts that `role` names until a signal comes, then ends them in order. When settings were changed on
 * a page, it does so and starts them again; should that fail, with the former settings.
 */
export async function runServer(context: Context, role: Role): Promise<void> {
  const signals = listenForStop();
  let unproven: OwnSettings | null = null;
  let wentBack: string | null = null;
  try {
    for (;;) {
      try {
        unproven = await runOnce(context, role, { signals, wentBack, ready: () => (unproven = null) });
        wentBack = null;
        if (unproven === null) return;
      } catch (error) {
        if (!unproven?.undo()) throw error;
        unproven = null;
        wentBack = `The new settings do not work, so the former ones are back: ${reasonOf(error)}`;
        context.terminal.err(`${wentBack} The new ones are kept in settings.env.refused.`);
      }
    }
  } finally {
    signals.forget();
  }
}

/** @returns null when it was told to stop, else the settings that were changed */
async function runOnce(
  { terminal, config: load }: Context,
  role: Role,
  round: { signals: ReturnType<typeof listenForStop>; wentBack: string | null; ready: () => void },
): Promise<OwnSettings | null> {
  const { signals, wentBack, ready } = round;
  const config = load();
  const log = createLog(config.logLevel, process.stdout);
  const settings = ownSettings(config);
  let reopen: () => void = () => undefined;
  const changed = new Promise<void>((resolve) => (reopen = resolve));
  const app = await openApp(config, { log, command: role, settings, reopen, wentBack });
  const closing: (() => Promise<void>)[] = [() => app.close(graceMs)];
  try {
    const started = start(app, role, closing).then(async (url) => {
      if (!signals.stopped()) await introduce(terminal, app, role, url);
      log.info({ role, url }, "ready");
      ready();
    });
    // A signal counts while the parts still start, too; what fails after it is of no interest any more.
    started.catch(() => undefined);
    await Promise.race([started, signals.stop]);
    await Promise.race([changed, signals.stop]);
    log.info({}, signals.stopped() ? "stopping" : "settings changed, opening anew");
  } finally {
    await Promise.race([closeAll(closing), wait(closeMs, undefined, { ref: false })]);
  }
  if (!signals.stopped()) return settings;
  log.info({}, "stopped");
  return null;
}

/**
 * Starts the parts one after the other, and puts down how each is ended. Pages come before work: on the embedded engine
 * the first look at everything takes as long as the whole start before it. @returns the address it listens on
 */
async function start(app: App, role: Role, closing: (() => Promise<void>)[]): Promise<string> {
  await queueAnswers(app);
  // A worker takes its settings over, and says later when they count no more; the web's own never count.
  await (role === "web" ? compareSettings(app)() : prepareWorker(app));
  let worker: RunningWorker | null = null;
  closing.push(async () => worker?.stop(graceMs));
  const web = await (role === "worker" ? startWorkerWeb(app, () => worker?.ended() ?? []) : startWeb(app));
  closing.push(() => web.stop());
  if (role !== "web") worker = await beginWork(app);
  return web.url;
}

/** BullMQ would wait for a queue that is away, for ever and without a word. */
async function queueAnswers({ queue, config }: App): Promise<void> {
  try {
    await within(queuePatienceMs, queue.ping());
  } catch (error) {
    if (config.redisUrl === null) throw error;
    const { host } = new URL(config.redisUrl);
    throw new Refusal(502, `Redis at ${host} does not answer: check REDIS_URL and that it runs.`, {
      reason: reasonOf(error),
    });
  }
}

async function closeAll(closing: (() => Promise<void>)[]): Promise<void> {
  for (const step of closing.reverse()) await step();
}

/** Where to look, how things stand, and what to do next. */
async function introduce(terminal: Terminal, app: App, role: Role, url: string): Promise<void> {
  const { done, next } = nextSteps(await status(app), app.config);
  const setup = role === "worker" ? null : readIfThere(setupFile(app.config.dataDir));
  terminal.err(
    [
      "",
      `  ${app.config.publicationName}: dayletter ${role} at ${url}`,
      "",
      ...(setup === null ? [] : [`  ${firstOperatorText(setup, terminal)}`, ""]),
      ...done.map((sentence) => `  ${sentence}`),
      ...(next.length > 0 ? ["", "  Next:", ...next.map((sentence) => `  - ${sentence}`)] : []),
      "",
    ].join("\n"),
  );
}

/** A log that others may read holds no link that makes its reader an owner: only a person at the terminal sees it. */
function firstOperatorText(link: string, { watched }: Terminal): string {
  return watched
    ? `The first operator signs up here, once, within 24 hours: ${link}`
    : "The first operator signs up by a link. Print it on this machine: dayletter operators link";
}
