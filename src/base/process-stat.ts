import { readFileSync } from "node:fs";

/** State of a process from proc(5). */
export interface ProcessStat {
  /** Dead but not reaped by its parent yet (a zombie). */
  dead: boolean;
  /** Boot id and start time in clock ticks, so that a reused pid is not mistaken for it. */
  birth: string;
}

/** null if there is no such process, and on systems without /proc. */
export function processStat(pid: number): ProcessStat | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    const boot = readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
    // Fields 3 and 22; the second is a name in brackets that can contain spaces and brackets.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return { dead: fields[0] === "Z" || fields[0] === "X", birth: `${boot}:${fields[19]}` };
  } catch {
    return null;
  }
}
