import { createWriteStream, mkdtempSync, rmSync, mkdirSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { buffer } from "node:stream/consumers";
import { simpleParser, type ParsedMail } from "mailparser";
import { SMTPServer } from "smtp-server";
import { openApp } from "../../app.ts";
import { systemClock } from "../../base/clock.ts";
import { createLog } from "../../base/log.ts";
import { freePort } from "../../base/free-port.ts";
import { readIfThere } from "../../base/private-file.ts";
import { setupFile } from "../../operators/links.ts";
import { loadConfig, type Config } from "../../config/load.ts";
import { startWeb } from "../../server.ts";
import { startWorker } from "../../worker.ts";
import { CommandError, exitCodes, ApiError } from "../failure.ts";
import { listenForStop, type Terminal, recordingTerminal } from "../terminal.ts";
import { serveFeeds, type DemoFeeds, readers, type DemoReader } from "./stories.ts";
import {
  keptText,
  placesText,
  editionText,
  mailsText,
  readersText,
  sourcesText,
  isQuestion,
  mismatches,
  receivedBy,
} from "./verify.ts";
import type { EditionDetailAnswer, PollAnswer, SourceAnswer } from "../../web/api/answers.ts";
import { createContext } from "../context.ts";
import { run } from "../program.ts";

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
    if (passed === "stopped") throw new CommandError("The demo was interrupted.");
    const seconds = (systemClock.now().getTime() - startedAt.getTime()) / 1_000;
    const setup = readIfThere(setupFile(config.dataDir));
    terminal.out(placesText({ passed, seconds, url, folder, setup, keep, command: terminal.command }));
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

/**
 * Runs the commands that an operator would run, and prints the results.
 * @returns whether all readers got exactly the articles they follow
 */
export async function play(
  terminal: Terminal,
  { config, feeds, catcher }: { config: Config; feeds: DemoFeeds; catcher: Catcher },
): Promise<boolean> {
  const dayletter = commandLine(terminal, config);
  terminal.out("Dayletter demo: sending an edition from two feeds to seven readers, on this machine only.\n");

  const sources: { source: SourceAnswer; poll: PollAnswer }[] = [];
  for (const url of [feeds.wire, feeds.review]) sources.push(await dayletter(["sources", "add", url, "--json"]));
  terminal.out(`${sourcesText(sources)}\n`);

  for (const reader of readers) await dayletter(["subscribers", "add", ...subscriberArguments(reader), "--json"]);
  await questionsArrive(catcher);
  terminal.out(`${readersText(readers)}\n`);

  const edition = await dayletter<EditionDetailAnswer>(["edition", "send", "--watch", "--json"]);
  const received = receivedBy(readers, catcher.mails);
  const problems = [
    ...mismatches(readers, catcher.mails),
    ...(edition.state === "finished" ? [] : [`The edition is ${edition.state}.`]),
  ];
  terminal.out(`${mailsText(received)}\n`);
  const refusal = await refused(() => dayletter(["edition", "send", "--json"]));
  if (refusal === null) problems.push("A second edition on the same day was not refused.");
  terminal.out(editionText(edition, refusal));
  for (const problem of problems) terminal.err(`Problem: ${problem}`);
  return problems.length === 0;
}

/** Waits for the confirmation emails, so that the output does not depend on the order of two jobs. */
async function questionsArrive({ mails }: Catcher): Promise<void> {
  const expected = readers.filter(({ confirmed }) => !confirmed).length;
  for (let tries = 0; tries < 200 && mails.filter(isQuestion).length < expected; tries++) await wait(50);
}

/** Runs commands in this process, shows their progress and parses their output. */
function commandLine(terminal: Terminal, config: Config) {
  return async <T>(argv: readonly string[]): Promise<T> => {
    const { watched, overwrite, err } = terminal;
    const recording = recordingTerminal();
    await run(
      argv,
      createContext({ ...recording, watched, overwrite, err: watched ? err : recording.err }, () => config),
    );
    return JSON.parse(recording.stdout()) as T;
  };
}

function subscriberArguments({ address, tags, confirmed }: DemoReader): string[] {
  const following = tags.length === 0 ? ["--all-tags"] : tags.flatMap((tag) => ["--tag", tag]);
  return [address, ...following, ...(confirmed ? ["--confirmed"] : [])];
}

async function refused(work: () => Promise<unknown>): Promise<string | null> {
  try {
    await work();
    return null;
  } catch (error) {
    if (error instanceof ApiError && error.status === 409) return error.message;
    throw error;
  }
}

export interface CaughtMail {
  /** Envelope recipient. */
  to: string;
  parsed: ParsedMail;
}

export interface Catcher {
  port: number;
  mails: readonly CaughtMail[];
  stop(): Promise<void>;
}

/** A mail relay on a free local port. It delivers nothing, and stores each email as a file in `folder`. */
export async function catchMail(folder: string): Promise<Catcher> {
  mkdirSync(folder, { recursive: true });
  const mails: CaughtMail[] = [];
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ["AUTH", "STARTTLS"],
    disableReverseLookup: true,
    logger: false,
    onData(stream, session, done) {
      keep(session.envelope.rcptTo[0]?.address ?? "").then(() => done(), done);
      async function keep(to: string): Promise<void> {
        const bytes = await buffer(stream);
        mails.push({ to, parsed: await simpleParser(bytes) });
        writeFileSync(join(folder, `${to.replace(/[^\w.@+-]/g, "_")}.${mails.length}.eml`), bytes);
      }
    },
  });
  server.on("error", () => undefined); // The sender reports broken connections.
  const listening = server.listen(0, "127.0.0.1");
  await once(listening, "listening");
  return {
    port: (listening.address() as AddressInfo).port,
    mails,
    stop: () => new Promise((resolve) => server.close(() => resolve())),
  };
}
