import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { Refusal } from "../base/errors.ts";
import { dataFolderFault } from "../base/private-file.ts";
import { processStat } from "../base/process-stat.ts";

interface Holder {
  pid: number;
  host: string;
  command: string;
  startedAt: string;
  /** Kernel start time of the process where the system tells it, so that a reused pid is not mistaken for it. */
  birth: string | null;
}

const beatMs = 5_000;
/** A holder on another host (another container on the same volume) is known only by its beat. */
const silenceMs = 20_000;
/** A process that was told to stop, or killed, may take a moment to be gone. */
const patienceMs = 2_000;
const lookEveryMs = 50;

/**
 * Takes the data folder for this process alone: PGlite is one session and two would corrupt each other. The lock of a
 * process that was killed is recognised (no such pid, one that is dead and not yet reaped or was born at another time,
 * or another host that fell silent) and replaced. A holder that lives is given two seconds to end.
 * @param command what this process does, for the refusal that the next one gets
 * @param waitMs how long to wait for a holder that lives
 * @returns the function that gives the folder back
 * @throws Refusal 409 that names the process which holds the folder, 503 when this user may not write there
 */
export async function lockDataFolder(dir: string, command: string, waitMs = patienceMs): Promise<() => void> {
  try {
    mkdirSync(dir, { recursive: true, mode: 0o700 });
    return await take(dir, command, waitMs);
  } catch (error) {
    throw dataFolderFault(dir, "writable", error);
  }
}

async function take(dir: string, command: string, waitMs: number): Promise<() => void> {
  const path = join(dir, "lock.json");
  const aside = `${path}.${process.pid}`;
  const mine: Holder = {
    pid: process.pid,
    host: hostname(),
    command,
    startedAt: new Date().toISOString(),
    birth: processStat(process.pid)?.birth ?? null,
  };
  const end = performance.now() + waitMs;
  for (;;) {
    if (putWhole(path, aside, mine)) return keep(path, mine);
    const holder = readHolder(path);
    if (holder === null) continue; // Given back since we looked.
    if (!isAlive(holder, path)) moveAside(path, aside, holder);
    else if (isSelf(holder) || performance.now() >= end) throw inUse(dir, holder);
    else await wait(lookEveryMs);
  }
}

/** Nobody ever reads half a lock: it is written aside and then linked to its name, which only the first can do. */
function putWhole(path: string, aside: string, holder: Holder): boolean {
  writeFileSync(aside, JSON.stringify(holder), { mode: 0o600 });
  return linkInto(path, aside);
}

/** Removes a dead holder's lock; of two starters that found it dead, one takes away only the other's new lock. */
function moveAside(path: string, aside: string, dead: Holder): void {
  try {
    renameSync(path, aside);
  } catch (error) {
    if (codeOf(error) === "ENOENT") return;
    throw error;
  }
  const moved = readHolder(aside);
  if (moved === null || isSame(moved, dead)) rmSync(aside, { force: true });
  else linkInto(path, aside);
}

function linkInto(path: string, aside: string): boolean {
  try {
    linkSync(aside, path);
    return true;
  } catch (error) {
    if (codeOf(error) === "EEXIST") return false;
    throw error;
  } finally {
    rmSync(aside, { force: true });
  }
}

function keep(path: string, mine: Holder): () => void {
  const beat = setInterval(() => {
    try {
      utimesSync(path, new Date(), new Date());
    } catch {
      // The folder was removed under us; there is nothing left to guard.
    }
  }, beatMs).unref();
  return () => {
    clearInterval(beat);
    const holder = readHolder(path);
    if (holder && isSame(holder, mine)) rmSync(path, { force: true });
  };
}

function readHolder(path: string): Holder | null {
  try {
    return JSON.parse(readFileSync(path, "utf8")) as Holder;
  } catch (error) {
    if (codeOf(error) === "ENOENT") return null;
    throw new Refusal(409, `The lock ${path} cannot be read: if no dayletter runs on this folder, delete it.`);
  }
}

function isSame(one: Holder, other: Holder): boolean {
  return one.pid === other.pid && one.host === other.host && one.startedAt === other.startedAt;
}

/** In a container every process may be pid 1, so a lock with our own pid is a dead predecessor's. */
function isAlive(holder: Holder, path: string): boolean {
  if (holder.host !== hostname()) return Math.abs(new Date().getTime() - lastBeat(path)) < silenceMs;
  const stat = processStat(holder.pid);
  if (stat?.dead) return false;
  if (holder.birth !== null && stat !== null) return holder.birth === stat.birth;
  try {
    process.kill(holder.pid, 0);
    return holder.pid !== process.pid;
  } catch (error) {
    return codeOf(error) === "EPERM";
  }
}

function isSelf(holder: Holder): boolean {
  return holder.pid === process.pid && holder.host === hostname();
}

function lastBeat(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;
}

function inUse(dir: string, { pid, host, command, startedAt }: Holder): Refusal {
  const where = host === hostname() ? "" : ` on ${host}`;
  return new Refusal(
    409,
    `The data folder ${dir} is in use by process ${pid}${where} (dayletter ${command}, since ${startedAt}): stop it first, or give this one another DATA_DIR.`,
    { pid, host },
  );
}

function codeOf(error: unknown): string | undefined {
  return (error as NodeJS.ErrnoException).code;
}
