/**
 * A sink as a program: `node --import tsx sink-process.ts '{"logFile": "…", "delayMs": 5}'`. Prints `{"port": …}` when it
 * listens, and writes one line for each message into the log file before it answers 250. It keeps no messages. Each line on
 * its standard input is a new `Behaviour`.
 */
import { openSync, writeSync } from "node:fs";
import { createInterface } from "node:readline";
import { startSink, type Behaviour } from "./sink.ts";

const options = JSON.parse(process.argv[2] ?? "{}") as { logFile: string; delayMs?: number; port?: number };
const log = openSync(options.logFile, "a");
let behaviour: Behaviour = { delayMs: options.delayMs ?? 0 };
let answered = 0;
const due = (one: { every: number } | undefined): boolean => one !== undefined && answered % one.every === 0;

const sink = await startSink({
  ...options,
  delayMs: () => (due(behaviour.late) ? behaviour.late!.ms : (behaviour.delayMs ?? 0)),
  onData() {
    answered += 1;
    return due(behaviour.twice) ? "twice" : null;
  },
  onMessage({ to, raw }) {
    const messageId = /^message-id:\s*(<[^>]+>)/im.exec(raw.subarray(0, 8192).toString("latin1"))?.[1] ?? "";
    writeSync(log, `${JSON.stringify({ to, messageId })}\n`);
    sink.messages.length = 0;
  },
});
createInterface({ input: process.stdin })
  .on("line", (line) => {
    behaviour = JSON.parse(line) as Behaviour;
  })
  // The parent process has ended.
  .on("close", () => process.exit());
process.stdout.write(`${JSON.stringify({ port: sink.port })}\n`);
