import { createWriteStream, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openApp } from "../../app.ts";
import { systemClock } from "../../base/clock.ts";
import { createLog } from "../../base/console-log.ts";
import { Refusal } from "../../base/errors.ts";
import { freePort } from "../../base/free-port.ts";
import { loadConfig, type Config } from "../../config/load.ts";
import { startWeb } from "../../server.ts";
import { startWorker } from "../../worker.ts";
import { exitCodes } from "../failure.ts";
import { listenForStop } from "../stop.ts";
import type { Terminal } from "../terminal.ts";
import { catchMail } from "./catcher.ts";
import { serveFeeds } from "./feeds.ts";
import { play } from "./play.ts";
import { keptText, placesText } from "./tell.ts";

/**
 * Sends an edition from feeds to mailboxes on loopback, with the code that runs a real publication.
 * @returns the exit code: 1 if a reader got other articles than those for their tags
 */
export async function runDemo(terminal: Terminal, { keep }: { keep: boolean }): Promise<number> {
  const startedAt = systemClock.now();
  const folder = mkdtempSync(join(tmpdir(), "dayletter-demo-"));
  const closing: (() => unknown)[] = [];
  const signals = listenForStop();
  const stopped = signals.stop.then(() => "stopped" as const);
  try {
    const feeds = await serveFeeds(startedAt);
    closing.push(() => feeds.stop());
    const catcher = await catchMail(join(folder, "mails"));
    closing.push(() => catcher.stop());
    const config = demoConfig({ folder, port: await freePort(), smtpPort: catcher.port, now: startedAt });
    const url = await startServer(config, closing);
    const passed = await Promise.race([play(terminal, { config, feeds, catcher }), stopped]);
    if (passed === "stopped") throw new Refusal(499, "The demo was interrupted.");
    const seconds = (systemClock.now().getTime() - startedAt.getTime()) / 1_000;
    terminal.out(placesText({ passed, seconds, url, folder, keep, command: terminal.command }));
    if (keep) await signals.stop;
    return passed ? exitCodes.done : exitCodes.failed;
  } finally {
    for (const step of closing.reverse()) await step();
    signals.forget();
    if (keep) terminal.out(keptText(folder));
    else rmSync(folder, { recursive: true, force: true });
  }
}

/** Starts web and worker in this process, like `dayletter serve`. They log to a file. */
async function startServer(config: Config, closing: (() => unknown)[]): Promise<string> {
  const file = createWriteStream(join(config.dataDir, "..", "log.jsonl"));
  closing.push(() => new Promise<void>((resolve) => file.end(() => resolve())));
  const log = createLog("info", file as unknown as NodeJS.WriteStream);
  const app = await openApp(config, { log, command: "demo" });
  closing.push(() => app.close());
  const worker = await startWorker(app);
  closing.push(() => worker.stop());
  const web = await startWeb(app);
  closing.push(() => web.stop());
  return web.url;
}

function demoConfig(at: { folder: string; port: number; smtpPort: number; now: Date }): Config {
  // Twelve hours from now, so that the schedule does not send the demo's edition first.
  const hour = String((at.now.getUTCHours() + 12) % 24).padStart(2, "0");
  return loadConfig({
    DATA_DIR: join(at.folder, "data"),
    HOST: "127.0.0.1",
    PORT: String(at.port),
    PUBLIC_URL: `http://127.0.0.1:${at.port}`,
    SMTP_URL: `smtp://127.0.0.1:${at.smtpPort}`,
    ALLOW_PRIVATE_SOURCES: "1",
    PUBLICATION_NAME: "Telecom Daily",
    MAIL_FROM: "Telecom Daily <alerts@telecom-daily.example>",
    POSTAL_ADDRESS: "Telecom Daily, 1 Press Street, Example City",
    SEND_AT: `${hour}:00`,
  });
}
