import { setTimeout as wait } from "node:timers/promises";
import { openApp, type App } from "../app.ts";
import { createLog } from "../base/log.ts";
import { readIfThere } from "../base/private-file.ts";
import { storedReason, type Reason } from "../base/errors.ts";
import { englishWording, sayReason } from "../texts/catalogue.ts";
import { settingsSource } from "../config/load.ts";
import type { SavedSettings } from "../config/saved-settings.ts";
import { setupFile } from "../operators/links.ts";
import { nextSteps } from "../alerts/next-steps.ts";
import { status } from "../alerts/status.ts";
import { compareSettings } from "../schedule/schedulers.ts";
import { startWeb, startWorkerWeb } from "../server.ts";
import { within } from "../base/async.ts";
import { beginWork, prepareWorker, type RunningWorker } from "../worker.ts";
import type { Context } from "./context.ts";
import type { Role } from "./serve.ts";
import { listenForStop, type Terminal } from "./terminal.ts";
import { CommandError } from "./failure.ts";

/** Time for emails that are at the relay when the process stops. */
const graceMs = 10_000;
/** Time to close everything. The next start continues from the database, so nothing waits longer. */
const closeMs = graceMs + 5_000;
const queuePatienceMs = 5_000;
/** How often a process looks for settings that another one has saved. */
const settingsEveryMs = 3_000;

/**
 * Runs the parts of the server for `role` until a signal arrives, and then stops them in order. After a change of settings on
 * a page, it restarts them. If they fail to start, it restores the previous settings.
 */
export async function runServer(context: Context, role: Role): Promise<void> {
  const signals = listenForStop();
  let unproven: SavedSettings | null = null;
  let settingsFailure: Reason | null = null;
  try {
    for (;;) {
      try {
        unproven = await runOnce(context, role, { signals, settingsFailure, ready: () => (unproven = null) });
        settingsFailure = null;
        if (unproven === null) return;
      } catch (error) {
        if (!unproven?.undo()) throw error;
        unproven = null;
        settingsFailure = { code: "settings_restored", details: { reason: storedReason(error) } };
        context.terminal.err(`${sayReason(settingsFailure)} The new settings are in settings.env.refused.`);
      }
    }
  } finally {
    signals.forget();
  }
}

/** @returns null after a signal, otherwise the changed settings */
async function runOnce(
  { terminal, config: load }: Context,
  role: Role,
  round: { signals: ReturnType<typeof listenForStop>; settingsFailure: Reason | null; ready: () => void },
): Promise<SavedSettings | null> {
  const { signals, settingsFailure, ready } = round;
  const config = load();
  const log = createLog(config.logLevel, process.stdout);
  let reopen: () => void = () => undefined;
  const changed = new Promise<void>((resolve) => (reopen = resolve));
  const app = await openApp(config, { log, command: role, source: settingsSource(), reopen, settingsFailure });
  const closing: (() => Promise<void>)[] = [() => app.close(graceMs)];
  const stopLooking = watchSettings(app, reopen);
  try {
    const started = start(app, role, closing).then(async (url) => {
      if (!signals.stopped()) await introduce(terminal, app, role, url);
      log.info({ role, url }, "ready");
      ready();
    });
    // A signal also stops a start in progress. Errors after it are ignored.
    started.catch(() => undefined);
    await Promise.race([started, signals.stop]);
    await Promise.race([changed, signals.stop]);
    log.info({}, signals.stopped() ? "stopping" : "settings changed, restarting");
  } finally {
    stopLooking();
    await Promise.race([closeAll(closing), wait(closeMs, undefined, { ref: false })]);
  }
  if (!signals.stopped()) return app.settings;
  log.info({}, "stopped");
  return null;
}

/**
 * Starts the parts one after the other, and adds to `closing` how each is stopped. Pages start before work, because the first
 * recovery on the embedded engine takes as long as the rest of the start. @returns the URL it listens on
 */
async function start(app: App, role: Role, closing: (() => Promise<void>)[]): Promise<string> {
  await queueAnswers(app);
  // A worker stores its schedule settings; web processes only log when theirs differ.
  await (role === "web" ? compareSettings(app)() : prepareWorker(app));
  let worker: RunningWorker | null = null;
  closing.push(async () => worker?.stop(graceMs));
  const web = await (role === "worker" ? startWorkerWeb(app, () => worker?.ended() ?? []) : startWeb(app));
  closing.push(() => web.stop());
  if (app.config.postalAddressMissing) app.log.warn({}, "no email is sent until POSTAL_ADDRESS is set");
  else if (role !== "web") worker = await beginWork(app);
  return web.url;
}

/** Without this check, BullMQ waits forever for an unreachable queue and logs nothing. */
async function queueAnswers({ queue, config }: App): Promise<void> {
  try {
    await within(queuePatienceMs, queue.ping());
  } catch (error) {
    if (config.redisUrl === null) throw error;
    const { host } = new URL(config.redisUrl);
    throw new CommandError(`Redis at ${host} does not answer. Check REDIS_URL, and that Redis is running.`, {
      cause: error,
    });
  }
}

/** Calls `changed` when another process has saved settings. @returns stops it */
function watchSettings({ settings, engines }: App, changed: () => void): () => void {
  let looking = false;
  const timer = setInterval(async () => {
    if (looking || engines.records.away()) return;
    looking = true;
    // The watch of the database reports an outage.
    if (await settings.isOutdated().catch(() => false)) changed();
    looking = false;
  }, settingsEveryMs);
  return () => clearInterval(timer);
}

async function closeAll(closing: (() => Promise<void>)[]): Promise<void> {
  for (const step of closing.reverse()) await step();
}

/** Prints the URL, the state and the next steps. */
async function introduce(terminal: Terminal, app: App, role: Role, url: string): Promise<void> {
  const steps = nextSteps(await status(app), app.config);
  const [done, next] = [steps.done, steps.next].map((list) =>
    list.map(({ key, values }) => englishWording().say(key, values)),
  ) as [string[], string[]];
  const setup = role === "worker" ? null : readIfThere(setupFile(app.config.dataDir));
  terminal.err(
    [
      "",
      `  ${app.config.publicationName}: dayletter ${role} at ${url}`,
      "",
      ...(setup === null ? [] : [`  ${firstOperatorText(setup, terminal)}`, ""]),
      ...done.map((sentence) => `  ${sentence}`),
      ...(next.length > 0 ? ["", "  Next steps:", ...next.map((sentence) => `  - ${sentence}`)] : []),
      "",
    ].join("\n"),
  );
}

/** The link makes its reader an owner, so it is printed to a terminal only, never to a log. */
function firstOperatorText(link: string, { watched }: Terminal): string {
  return watched
    ? `To sign up as the first operator, open this link within 24 hours. It works once: ${link}`
    : "To get the link for the first operator, run `dayletter operators link` on this machine.";
}
