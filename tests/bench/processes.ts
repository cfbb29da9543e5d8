import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";

/** What a group of processes is called in the tables, and where it begins: their children count with them. */
export type Groups = Record<string, readonly number[]>;

interface Stat {
  parent: number;
  /** Clock ticks of itself and of its children that have ended, and of those alone. */
  ticks: number;
  buried: number;
}

const ticksASecond = Number(execFileSync("getconf", ["CLK_TCK"], { encoding: "utf8" }));

/** Fields 4 and 14 to 17 of proc(5); the second is a name in brackets that can contain spaces and brackets. */
function statOf(pid: string): Stat | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    const sum = (...at: number[]): number => at.reduce((all, one) => all + Number(fields[one]), 0);
    return { parent: sum(1), ticks: sum(11, 12, 13, 14), buried: sum(13, 14) };
  } catch {
    return null;
  }
}

/** Processor time in milliseconds that each group has used since its processes began, with all their children. */
export function processorTime(groups: Groups): Record<string, number> {
  const all = new Map<number, Stat>();
  for (const name of readdirSync("/proc")) {
    const stat = /^\d+$/.test(name) ? statOf(name) : null;
    if (stat) all.set(Number(name), stat);
  }
  const children = new Map<number, number[]>();
  for (const [pid, { parent }] of all) children.set(parent, [...(children.get(parent) ?? []), pid]);
  const ticks = (pid: number): number =>
    (children.get(pid) ?? []).reduce((sum, child) => sum + ticks(child), all.get(pid)?.ticks ?? 0);
  return Object.fromEntries(
    Object.entries(groups).map(([name, pids]) => [
      name,
      (pids.reduce((sum, pid) => sum + ticks(pid), 0) * 1_000) / ticksASecond,
    ]),
  );
}

/** Processor time in milliseconds of the children of this process that have ended. */
export function endedChildrenTime(): number {
  return (statOf("self")!.buried * 1_000) / ticksASecond;
}

/** Megabytes: resident now, the share that is its own or divided by those who share it, and the peak of the former. */
export interface Memory {
  rss: number;
  pss: number;
  peak: number;
}

export function memoryOf(pid: number): Memory {
  const read = (file: string, key: string): number => {
    try {
      return (
        Number(new RegExp(`^${key}:\\s+(\\d+) kB`, "m").exec(readFileSync(`/proc/${pid}/${file}`, "utf8"))?.[1] ?? 0) /
        1_024
      );
    } catch {
      return 0;
    }
  };
  return { rss: read("status", "VmRSS"), pss: read("smaps_rollup", "Pss"), peak: read("status", "VmHWM") };
}

export interface Course {
  /** Seconds since the start, and what it was then. */
  points: (Memory & { second: number })[];
  stop(): void;
}

/** Looks at a process's memory once a second. */
export function watchMemory(pid: number): Course {
  const begun = performance.now();
  const points: Course["points"] = [];
  const timer = setInterval(() => {
    const memory = memoryOf(pid);
    if (memory.rss > 0) points.push({ second: (performance.now() - begun) / 1_000, ...memory });
  }, 1_000);
  return { points, stop: () => clearInterval(timer) };
}
