import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { freePort } from "../../src/base/free-port.ts";
import { isProgram } from "../support/kinds.ts";
import { onExit } from "../support/on-exit.ts";
import { answers } from "../support/ports.ts";
import { startSinkProcess } from "../support/sink.ts";
import { eventually } from "../support/world.ts";
import { endedChildrenTime } from "./processes.ts";

/** A relay that throws everything away, the cheapest there is on this machine. */
export interface Relay {
  name: string;
  port: number;
  pid: number;
  stop(): Promise<void>;
}

/** A program of Postfix, or null where it isn't installed. */
function postfix(program: string): string | null {
  const folders = [...(process.env["PATH"] ?? "").split(delimiter), "/usr/sbin"];
  return folders.map((folder) => join(folder, program)).find(isProgram) ?? null;
}

export async function startRelay(): Promise<Relay> {
  const program = postfix("smtp-sink");
  if (program === null) return nodeRelay();
  const port = await freePort();
  // It refuses to run as root, and prints a warning for each connection that rests while others have their turn.
  const user = process.getuid?.() === 0 ? ["-u", "nobody"] : [];
  const child = spawn(program, [...user, "-m", "512", `127.0.0.1:${port}`, "512"], { stdio: "ignore" });
  const forget = onExit({ end: () => void child.kill() });
  const ended = once(child, "exit").then(forget);
  await eventually("smtp-sink listens", () => answers(port));
  return { name: "Postfix smtp-sink", port, pid: child.pid!, stop: () => end(child, ended) };
}

async function nodeRelay(): Promise<Relay> {
  const folder = mkdtempSync(join(tmpdir(), "dayletter-bench-"));
  const sink = await startSinkProcess({ logFile: join(folder, "accepted") });
  const stop = async (): Promise<void> => {
    await sink.kill();
    rmSync(folder, { recursive: true });
  };
  return { name: "a relay in Node", port: sink.port, pid: sink.pid, stop };
}

async function end(child: ChildProcess, ended: Promise<unknown>): Promise<void> {
  child.kill("SIGTERM");
  await ended;
}

/**
 * Sends so many messages of so many bytes with Postfix's load generator.
 * @returns milliseconds, and its processor time in milliseconds; null where it isn't installed
 */
export async function smtpSource(
  relay: Relay,
  load: { messages: number; bytes: number; connections: number },
): Promise<{ ms: number; sender: number } | null> {
  const program = postfix("smtp-source");
  if (program === null) return null;
  const argv = ["-d", "-s", load.connections, "-m", load.messages, "-l", load.bytes, `127.0.0.1:${relay.port}`];
  const before = endedChildrenTime();
  const begun = performance.now();
  const child = spawn(program, argv.map(String), { stdio: ["ignore", "ignore", "inherit"] });
  const [code] = (await once(child, "exit")) as [number | null];
  if (code !== 0) throw new Error(`smtp-source ended with ${code}.`);
  return { ms: performance.now() - begun, sender: endedChildrenTime() - before };
}
