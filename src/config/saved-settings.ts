import { readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { readIfThere, writePrivate, writePrivateBytes } from "../base/private-file.ts";
import type { Tx } from "../db/schema.ts";
import type { Logo } from "./logo.ts";
import { environmentSettings, type SettingProblem } from "./settings.ts";

/** The file of the Setup page, where one process has all the data. The environment overrides it. */
const savedFile = (dataDir: string): string => join(dataDir, "settings.env");

/**
 * Reads lines of the form NAME=value. The value is everything after the first `=`; a value in double quotes is a JSON
 * string, for line breaks. Empty lines and lines that begin with `#` are ignored.
 * @returns the settings, and a problem for each invalid line
 */
export function parseSaved(text: string): { values: Record<string, string>; problems: SettingProblem[] } {
  const values: Record<string, string> = {};
  const problems: SettingProblem[] = [];
  for (const [i, line] of text.split(/\r?\n/).entries()) {
    if (/^\s*(#|$)/.test(line)) continue;
    const match = /^\s*([A-Z][A-Z0-9_]*)\s*=(.*)$/.exec(line);
    const name = match?.[1] ?? "";
    if (!match) problems.push({ name: "settings.env", code: "settings_line_invalid", data: { line: i + 1 } });
    else if (environmentSettings.some((one) => one === name) || name.endsWith("_FILE")) {
      problems.push({ name, code: "settings_name_fixed", data: {} });
    } else values[name] = unquoted(match[2]!.trim());
  }
  return { values, problems };
}

/** The file content for `parseSaved`, without empty values. */
export function formatSaved(values: Readonly<Record<string, string>>): string {
  const lines = Object.entries(values)
    .filter(([, value]) => value !== "")
    .map(([name, value]) => `${name}=${/[\r\n]|^".*"$|^\s|\s$/s.test(value) ? JSON.stringify(value) : value}`);
  return ["# Written by the Setup page. Environment variables override it.", ...lines].join("\n");
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
export function readSaved(dataDir: string): ReturnType<typeof parseSaved> {
  return parseSaved(readIfThere(savedFile(dataDir)) ?? "");
}

/** The settings that operators can change on a page. */
export interface SavedSettings {
  /** Where a change is saved; null if it cannot be saved, so that the page shows the environment variables to set. */
  place: "file" | "database" | null;
  /** "set" if the environment sets it, "only" if nothing but the environment can, and null if it can be changed here. */
  fixed(name: string): "set" | "only" | null;
  /** The saved values. */
  values(): Promise<Record<string, string>>;
  /**
   * Checks the settings as they would be after a change; "" removes one.
   * @throws Refusal 422 with all problems in `problems`
   */
  check(change: Readonly<Record<string, string>>): Promise<void>;
  /**
   * Checks and saves a change. It takes effect when the server restarts.
   * @param logo the content of PUBLICATION_LOGO, if the change has it
   */
  save(tx: Tx, change: Readonly<Record<string, string>>, logo?: Logo): Promise<void>;
  /** Whether another process has saved a change since this was opened. */
  isOutdated(): Promise<boolean>;
  /**
   * Restores the file as it was when this was opened, and keeps the present one as `settings.env.refused`.
   * @returns false if nothing was saved since, or it is not a file
   */
  undo(): boolean;
}

/**
 * The settings that one process keeps in a file.
 * @param options.fixed names that the environment sets
 * @param options.check throws if the new values are not valid together with the other settings
 */
export function openSaved(options: {
  dataDir: string;
  fixed: ReadonlySet<string>;
  check(values: Record<string, string>): void;
}): SavedSettings {
  const { dataDir, fixed } = options;
  const path = savedFile(dataDir);
  // The content that the server started with, because somebody may have edited the file since.
  const former = readIfThere(path) ?? "";
  let saved = false;
  const values = (): Record<string, string> => readSaved(dataDir).values;
  const changed = (change: Readonly<Record<string, string>>): Record<string, string> => ({
    ...values(),
    ...Object.fromEntries(Object.entries(change).filter(([name]) => !fixed.has(name))),
  });
  return {
    place: "file",
    fixed: (name) => (fixed.has(name) ? "set" : environmentSettings.some((one) => one === name) ? "only" : null),
    values: async () => values(),
    check: async (change) => options.check(changed(change)),
    async save(_, change, logo) {
      if (logo) writePrivateBytes(join(dataDir, logo.name), logo.content);
      const after = changed(change);
      options.check(after);
      writePrivate(path, formatSaved(after));
      saved = true;
      // Keep the active logo, because a failed restart falls back to it.
      forgetLogos(dataDir, [after["PUBLICATION_LOGO"] ?? "", parseSaved(former).values["PUBLICATION_LOGO"] ?? ""]);
    },
    isOutdated: async () => false,
    undo() {
      if (!saved) return false;
      writePrivate(`${path}.refused`, readIfThere(path) ?? "");
      writePrivate(path, former);
      saved = false;
      return true;
    },
  };
}

function forgetLogos(dataDir: string, but: readonly string[]): void {
  const others = readdirSync(dataDir).filter((name) => /^logo\.[0-9a-f]{12}\./.test(name) && !but.includes(name));
  for (const name of others) rmSync(join(dataDir, name), { force: true });
}

/** The same where nothing can be saved. */
export const unchangeable: SavedSettings = {
  place: null,
  fixed: () => null,
  values: async () => ({}),
  check: async () => undefined,
  save: async () => undefined,
  isOutdated: async () => false,
  undo: () => false,
};
