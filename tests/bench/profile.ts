import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** A V8 CPU profile, as far as it is read here. Times are microseconds. */
interface Profile {
  nodes: { id: number; callFrame: { functionName: string; url: string; lineNumber: number } }[];
  samples: number[];
  timeDeltas: number[];
}

export interface Hot {
  /** Name, file and line. */
  name: string;
  /** Of the time in which the process did something. */
  share: number;
}

/** The functions in which a process spent most time itself, from the largest profile in `folder`. */
export function hottest(folder: string, count: number): Hot[] {
  const files = readdirSync(folder).map((name) => readFileSync(join(folder, name), "utf8"));
  // Threads write profiles of their own.
  const profile = JSON.parse(files.toSorted((a, b) => b.length - a.length)[0]!) as Profile;
  const names = new Map(profile.nodes.map(({ id, callFrame }) => [id, nameOf(callFrame)]));
  const times = new Map<string, number>();
  profile.samples.forEach((id, n) => {
    const name = names.get(id)!;
    times.set(name, (times.get(name) ?? 0) + profile.timeDeltas[n]!);
  });
  times.delete("(idle)");
  const all = [...times.values()].reduce((sum, one) => sum + one, 0);
  return [...times]
    .map(([name, time]) => ({ name, share: time / all }))
    .toSorted((a, b) => b.share - a.share)
    .slice(0, count);
}

function nameOf({ functionName, url, lineNumber }: Profile["nodes"][number]["callFrame"]): string {
  const name = functionName || "(anonymous)";
  if (url === "") return name;
  return `${name} ${url.replace(/^.*\/(?=node_modules\/|dist\/)/, "").replace(/^file:\/\//, "")}:${lineNumber + 1}`;
}
