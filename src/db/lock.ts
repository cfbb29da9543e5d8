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
  /** The process's start time, if the system provides it, to detect a reused pid. */
  birth: string | null;
}

const beatMs = 5_000;
/** A holder on another host (another container on the same volume) is only known by its heartbeat. */
const silenceMs = 20_000;
/** A process that is stopping, or was killed, may take a moment to exit. */
const patienceMs = 2_000;
const lookEveryMs = 50;

/**
 * Locks the data folder for this process: PGlite is one session, and two would corrupt the data. A stale lock is
 * replaced: no such pid, a zombie, a different start time, or another host without heartbeat. A running holder gets two
 * seconds to exit.
 * @param command the command of this process, for the refusal that another one gets
 * @param waitMs how long to wait for a running holder
 * @returns the function that unlocks the folder
 * @throws Refusal 409 that names the process which holds the lock, 503 when this user may not write to the folder
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
    if (holder === null) continue; // Unlocked in the meantime.
    if (!isAlive(holder, path)) moveAside(path, aside, holder);
    else if (isSelf(holder) || performance.now() >= end) throw inUse(dir, holder);
    else await wait(lookEveryMs);
  }
}

/** Writes the lock atomically: into a temporary file, which is then linked to its name. Only one process can do that. */
function putWhole(path: string, aside: string, holder: Holder): boolean {
  writeFileSync(aside, JSON.stringify(holder), { mode: 0o600 });
  return linkInto(path, aside);
}

/** Removes a stale lock. If another process has replaced it in the meantime, its new lock is put back. */
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
      // The folder has been deleted, so there is nothing to protect.
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
    throw new Refusal(409, "lock_unreadable", { file: path });
  }
}

function isSame(one: Holder, other: Holder): boolean {
  return one.pid === other.pid && one.host === other.host && one.startedAt === other.startedAt;
}

/** In a container every process may have pid 1, so a lock with this pid belongs to an earlier process. */
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

function inUse(folder: string, { pid, host, command, startedAt }: Holder): Refusal {
  return new Refusal(409, "data_folder_in_use", { folder, pid, host, command, startedAt });
}

function codeOf(error: unknown): string | undefined {
  return (error as NodeJS.ErrnoException).code;
}
