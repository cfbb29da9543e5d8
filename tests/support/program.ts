import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { packageRoot } from "../../src/package-root.ts";
import { onExit } from "./on-exit.ts";
import { eventually } from "./world.ts";

export interface Program {
  pid: number;
  /** All that it has printed so far. */
  output(): string;
  /** Resolves with its exit code, or the signal's name. */
  exited: Promise<number | string>;
  end(signal: NodeJS.Signals): Promise<number | string>;
}

/**
 * Starts the built program as an operator does: `dayletter <argv>` with these settings and no others.
 * @param nodeOptions options of Node's own
 */
export function startProgram(
  argv: readonly string[],
  env: Record<string, string>,
  nodeOptions: readonly string[] = [],
): Program {
  const child = spawn(process.execPath, [...nodeOptions, join(packageRoot, "dist/src/cli.js"), ...argv], {
    env: { PATH: process.env["PATH"] ?? "", ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const forget = onExit({ end: () => void child.kill("SIGKILL") });
  let printed = "";
  for (const stream of [child.stdout, child.stderr])
    stream.on("data", (chunk: Buffer) => (printed += chunk.toString()));
  const exited = once(child, "exit").then(([code, signal]) => {
    forget();
    return (code as number | null) ?? (signal as string);
  });
  return {
    pid: child.pid!,
    output: () => printed,
    exited,
    async end(signal) {
      child.kill(signal);
      return exited;
    },
  };
}

/** Asks a running server's API as its command line does: address and token from its data folder. Undefined while it is down. */
export async function askServer<T>(dataDir: string, path: string): Promise<T | undefined> {
  try {
    const url = readFileSync(join(dataDir, "server"), "utf8").trim();
    const token = readFileSync(join(dataDir, "token"), "utf8").trim();
    const answer = await fetch(`${url}/api/v1${path}`, { headers: { authorization: `Bearer ${token}` } });
    return answer.ok ? ((await answer.json()) as T) : undefined;
  } catch {
    return undefined;
  }
}

/** Resolves when the server of this data folder listens; rejects with what it printed if it ends instead. */
export async function serverIsUp(dataDir: string, program: Program): Promise<void> {
  await eventually("the server listens", async () => {
    const over = await Promise.race([program.exited, Promise.resolve(null)]);
    if (over !== null) throw new Error(`The program ended (${over}):\n${program.output()}`);
    return existsSync(join(dataDir, "server"));
  });
}
