/**
 * A sink as a program: `node --import tsx sink-process.ts '{"logFile": "…", "delayMs": 5}'`. Prints `{"port": …}` when it
 * listens, and writes one line for each message into the log file before it answers 250. It keeps no messages.
 */
import { openSync, writeSync } from "node:fs";
import { startSink } from "./sink.ts";

const options = JSON.parse(process.argv[2] ?? "{}") as { logFile: string; delayMs?: number; port?: number };
const log = openSync(options.logFile, "a");

const sink = await startSink({
  ...options,
  onMessage({ to, raw }) {
    const messageId = /^message-id:\s*(<[^>]+>)/im.exec(raw.subarray(0, 8192).toString("latin1"))?.[1] ?? "";
    writeSync(log, `${JSON.stringify({ to, messageId })}\n`);
    sink.messages.length = 0;
  },
});
process.stdout.write(`${JSON.stringify({ port: sink.port })}\n`);
