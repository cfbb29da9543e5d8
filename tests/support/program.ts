import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { packageRoot } from "../../src/base/root.ts";
import { eventually } from "./world.ts";

export interface Program {
  pid: number;
  /** All that it has printed so far. */
  output(): string;
  /** Resolves with its exit code, or the signal's name. */
  exited: Promise<number | string>;
  end(signal: NodeJS.Signals): Promise<number | string>;
}

/** Starts the built program as an operator does: `dayletter <argv>` with these settings and no others. */
export function startProgram(argv: readonly string[], env: Record<string, string>): Program {
  const child = spawn(process.execPath, [join(packageRoot, "dist/src/cli.js"), ...argv], {
    env: { PATH: process.env["PATH"] ?? "", ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let printed = "";
  for (const stream of [child.stdout, child.stderr])
    stream.on("data", (chunk: Buffer) => (printed += chunk.toString()));
  const exited = once(child, "exit").then(([code, signal]) => (code as number | null) ?? (signal as string));
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

/** Resolves when the server of this data folder listens; rejects with what it printed if it ends instead. */
export async function serverIsUp(dataDir: string, program: Program): Promise<void> {
  await eventually("the server listens", async () => {
    const over = await Promise.race([program.exited, Promise.resolve(null)]);
    if (over !== null) throw new Error(`The program ended (${over}):\n${program.output()}`);
    return existsSync(join(dataDir, "server"));
  });
}
