import { join } from "node:path";
import { sayReason } from "../base/errors.ts";
import { readIfThere, writePrivate } from "../base/private-file.ts";

/** The file of the set-up page, where one process has all the data. The environment overrides it. */
export const ownFile = (dataDir: string): string => join(dataDir, "settings.env");

/** Settings that decide where this file is, or that several processes must share. */
const notHere = new Set(["DATA_DIR", "DATABASE_URL", "DAYLETTER_URL", "DAYLETTER_TOKEN"]);

/**
 * Reads lines of the form NAME=value. The value is everything after the first `=`; a value in double quotes is a JSON
 * string, for line breaks. Empty lines and lines that begin with `#` are ignored.
 * @returns the settings, and one sentence for each invalid line
 */
export function parseOwn(text: string): { values: Record<string, string>; problems: string[] } {
  const values: Record<string, string> = {};
  const problems: string[] = [];
  for (const [i, line] of text.split(/\r?\n/).entries()) {
    if (/^\s*(#|$)/.test(line)) continue;
    const match = /^\s*([A-Z][A-Z0-9_]*)\s*=(.*)$/.exec(line);
    if (!match) problems.push(sayReason({ code: "settings_line_invalid", details: { line: i + 1 } }));
    else if (notHere.has(match[1]!) || match[1]!.endsWith("_FILE")) {
      problems.push(sayReason({ code: "settings_name_fixed", details: { name: match[1] } }));
    } else values[match[1]!] = unquoted(match[2]!.trim());
  }
  return { values, problems };
}

/** The file content for `parseOwn`, without empty values. */
export function formatOwn(values: Readonly<Record<string, string>>): string {
  const lines = Object.entries(values)
    .filter(([, value]) => value !== "")
    .map(([name, value]) => `${name}=${/[\r\n]|^".*"$|^\s|\s$/s.test(value) ? JSON.stringify(value) : value}`);
  return ["# Written by the set-up page. Environment variables override it.", ...lines].join("\n");
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

/** The settings of the file in a data folder; none without a file. */
export function readOwn(dataDir: string): ReturnType<typeof parseOwn> {
  return parseOwn(readIfThere(ownFile(dataDir)) ?? "");
}

/** The settings for the set-up page. */
export interface OwnSettings {
  /** Whether `save` writes. Otherwise only the environment counts, because several processes can share the database. */
  writable: boolean;
  /** Names that the environment sets and that cannot be changed here. */
  fixed: ReadonlySet<string>;
  /** The present content of the file. */
  values(): Record<string, string>;
  /**
   * Checks the settings as they would be after a change; "" removes one.
   * @throws Refusal 422 with a sentence for each problem in `problems`
   */
  check(change: Readonly<Record<string, string>>): void;
  /** Checks and saves a change. It takes effect when the server restarts. */
  save(change: Readonly<Record<string, string>>): void;
  /**
   * Restores the file as it was when this was opened, and keeps the present one as `settings.env.refused`.
   * @returns false if nothing was saved since
   */
  undo(): boolean;
}

/** @param options.check throws if the new values are not valid together with the other settings */
export function openOwn(options: {
  dataDir: string;
  writable: boolean;
  fixed: ReadonlySet<string>;
  check(values: Record<string, string>): void;
}): OwnSettings {
  const { dataDir, writable, fixed } = options;
  const path = ownFile(dataDir);
  // The content that the server started with, because somebody may have edited the file since.
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
