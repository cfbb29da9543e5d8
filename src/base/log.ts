import { Writable } from "node:stream";
import { pino } from "pino";
import { withoutAddress } from "./address.ts";

/**
 * The part of pino's interface that the program uses. Fields contain ids, counts and reasons, never an address or a
 * token.
 */
export interface Log {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

/** Discards everything, for tests and one-off commands. */
export const silentLog: Log = { debug: ignore, info: ignore, warn: ignore, error: ignore };

function ignore(): void {}

/**
 * Logs JSON lines, or short lines if `out` is a terminal. Addresses are masked, because fields can quote relays, databases
 * and feeds.
 */
export function createLog(level: string, out: NodeJS.WriteStream): Log {
  return pino({ level, base: null, formatters: { log: withoutAddresses } }, out.isTTY ? forTerminal(out) : out);
}

function withoutAddresses(fields: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, masked(value)]));
}

function masked(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(masked);
  if (typeof value !== "string") return value;
  // Stack lines contain package names such as @fastify and no addresses.
  return value.replace(/^(?! +at ).*@.*$/gm, withoutAddress);
}

function forTerminal(out: NodeJS.WriteStream): Writable {
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
