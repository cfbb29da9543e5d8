import { closeSync, mkdirSync, openSync, readFileSync, renameSync, rmSync, writeSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { Refusal } from "../base/errors.ts";

interface Holder {
  pid: number;
  host: string;
  command: string;
  startedAt: string;
  /** Kernel start time of the process where the system tells it, so that a reused pid is not mistaken for it. */
  birth: string | null;
}

/**
 * Takes the data folder for this process alone: PGlite is one session and two would corrupt each other. The lock of a
 * process that was killed is recognised (no such pid, or a pid born at another time) and replaced.
 * @returns the function that gives the folder back
 */
export function lockDataFolder(dir: string, command: string): () => void {
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  const path = join(dir, "lock.json");
  const mine: Holder = {
    pid: process.pid,
    host: hostname(),
    command,
    startedAt: new Date().toISOString(),
    birth: birthOf(process.pid),
  };
  for (;;) {
    if (createWhole(path, mine)) return () => giveBack(path, mine);
    const holder = readHolder(path);
    if (holder && isAlive(holder)) {
      throw new Refusal(
        409,
        `The data folder ${dir} is in use by process ${holder.pid} (dayletter ${holder.command}, since ${holder.startedAt}): stop it first, or give this one another DATA_DIR.`,
      );
    }
    // Two starters may both find a dead lock: the rename lets exactly one of them remove it.
    const grave = `${path}.${process.pid}`;
    try {
      renameSync(path, grave);
    } catch {
      continue;
    }
    rmSync(grave, { force: true });
  }
}

function createWhole(path: string, holder: Holder): boolean {
  try {
    const file = openSync(path, "wx", 0o600);
    writeSync(file, JSON.stringify(holder));
    closeSync(file);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw error;
  }
}

function giveBack(path: string, mine: Holder): void {
  const holder = readHolder(path);
  if (holder?.pid === mine.pid && holder.startedAt === mine.startedAt) rmSync(path, { force: true });
}

function readHolder(path: string): Holder | null {
  try {
    return JSON.parse(readFileSync(path, "utf8")) as Holder;
  } catch {
    return null;
  }
}

/** In containers every process is pid 1, so a lock with our own pid is a dead predecessor's unless the birth agrees. */
function isAlive(holder: Holder): boolean {
  const birth = birthOf(holder.pid);
  if (holder.birth !== null && birth !== null) return holder.birth === birth;
  try {
    process.kill(holder.pid, 0);
    return holder.pid !== process.pid;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

/** Boot id and start time in clock ticks (proc(5), field 22 of stat); null where there is no /proc. */
function birthOf(pid: number): string | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    const boot = readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
    return `${boot}:${stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19]}`;
  } catch {
    return null;
  }
}
