import { join } from "node:path";
import { readIfThere, writePrivate } from "../base/private-file.ts";

/** What the set-up page writes, where one process keeps everything itself. The environment wins over it. */
export const ownFile = (dataDir: string): string => join(dataDir, "settings.env");

/** Settings that say where the file itself is, or that more than one process has to agree on. */
const notHere = new Set(["DATA_DIR", "DATABASE_URL", "DAYLETTER_URL", "DAYLETTER_TOKEN"]);

/**
 * Reads lines of the form NAME=value. What is behind the first `=` is the value, as it stands; one between double quotes
 * is a JSON string, for line breaks. Empty lines and those that begin with `#` say nothing.
 * @returns the settings, and one sentence for each line that is none
 */
export function parseOwn(text: string): { values: Record<string, string>; problems: string[] } {
  const values: Record<string, string> = {};
  const problems: string[] = [];
  for (const [i, line] of text.split(/\r?\n/).entries()) {
    if (/^\s*(#|$)/.test(line)) continue;
    const match = /^\s*([A-Z][A-Z0-9_]*)\s*=(.*)$/.exec(line);
    if (!match) problems.push(`settings.env: line ${i + 1} is not of the form NAME=value.`);
    else if (notHere.has(match[1]!) || match[1]!.endsWith("_FILE")) {
      problems.push(`settings.env: ${match[1]} cannot be set here; set it in the environment.`);
    } else values[match[1]!] = unquoted(match[2]!.trim());
  }
  return { values, problems };
}

/** The text that `parseOwn` reads as these values; empty ones are left out. */
export function formatOwn(values: Readonly<Record<string, string>>): string {
  const lines = Object.entries(values)
    .filter(([, value]) => value !== "")
    .map(([name, value]) => `${name}=${/[\r\n]|^".*"$|^\s|\s$/s.test(value) ? JSON.stringify(value) : value}`);
  return ["# Written by the set-up page; what the environment sets wins.", ...lines].join("\n");
}

function unquoted(value: string): string {
  if (!/^".*"$/.test(value)) return value;
  try {
    const text: unknown = JSON.parse(value);
    return typeof text === "string" ? text : value;
  } catch {
    return value;
  }
}

/** The settings of the file in a data folder; none where there is no file. */
export function readOwn(dataDir: string): ReturnType<typeof parseOwn> {
  return parseOwn(readIfThere(ownFile(dataDir)) ?? "");
}

/** The settings as the set-up page sees them. */
export interface OwnSettings {
  /** Whether `save` writes; else the environment alone counts, for several processes may share it. */
  writable: boolean;
  /** Names that the environment sets: they cannot be changed here. */
  fixed: ReadonlySet<string>;
  /** What the file holds now. */
  values(): Record<string, string>;
  /**
   * @throws Refusal 422 for what is wrong with the settings as they would be after this change, `problems` holding the
   * sentences; "" takes one out
   */
  check(change: Readonly<Record<string, string>>): void;
  /** Writes a change down, whole or not at all, once it was checked. It is in force when the server has opened anew. */
  save(change: Readonly<Record<string, string>>): void;
  /**
   * Goes back to the file as it was when this was opened, and keeps the present one beside it, as `settings.env.refused`.
   * @returns false when nothing was saved since
   */
  undo(): boolean;
}

/** @param options.check throws when the file's values, as they would be, do not go with the rest */
export function openOwn(options: {
  dataDir: string;
  writable: boolean;
  fixed: ReadonlySet<string>;
  check(values: Record<string, string>): void;
}): OwnSettings {
  const { dataDir, writable, fixed } = options;
  const path = ownFile(dataDir);
  // Somebody may have written into the file since: what works is what the server was opened with.
  const former = writable ? (readIfThere(path) ?? "") : "";
  let saved = false;
  const values = (): Record<string, string> => (writable ? readOwn(dataDir).values : {});
  const changed = (change: Readonly<Record<string, string>>): Record<string, string> => ({
    ...values(),
    ...Object.fromEntries(Object.entries(change).filter(([name]) => !writable || !fixed.has(name))),
  });
  return {
    writable,
    fixed,
    values,
    check: (change) => options.check(changed(change)),
    save(change) {
      const after = changed(change);
      options.check(after);
      if (!writable) return;
      writePrivate(path, formatOwn(after));
      saved = true;
    },
    undo() {
      if (!saved) return false;
      writePrivate(`${path}.refused`, readIfThere(path) ?? "");
      writePrivate(path, former);
      saved = false;
      return true;
    },
  };
}
