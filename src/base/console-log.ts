import { Writable } from "node:stream";
import { pino } from "pino";
import type { Log } from "./log.ts";

/** Logs as JSON lines, or as short lines for eyes where `out` is a terminal. */
export function createLog(level: string, out: NodeJS.WriteStream): Log {
  return pino({ level, base: null }, out.isTTY ? forEyes(out) : out);
}

function forEyes(out: NodeJS.WriteStream): Writable {
  return new Writable({
    write(chunk: Buffer, _encoding, done) {
      const { level, time, msg, ...fields } = JSON.parse(chunk.toString()) as Record<string, unknown>;
      const clock = new Date(Number(time)).toTimeString().slice(0, 8);
      const mark = Number(level) >= 50 ? "error: " : Number(level) >= 40 ? "warning: " : "";
      const rest = Object.entries(fields).map(
        ([name, value]) => `${name}=${typeof value === "string" ? value : JSON.stringify(value)}`,
      );
      out.write(`${clock}  ${mark}${String(msg)}  ${rest.join(" ")}\n`, done);
    },
  });
}
