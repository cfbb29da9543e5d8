import { readFileSync } from "node:fs";
import { sayReason, type Reason } from "../base/errors.ts";
import { secretSettings } from "./schema.ts";

type Values = Readonly<Record<string, string>>;

/**
 * Replaces each `NAME_FILE` of a secret setting by `NAME` with the trimmed content of that file, for container secrets and
 * systemd credentials.
 * @returns the settings, and one sentence for each file that cannot be used, whose setting is left out
 */
export function readSecretFiles(given: Values): { values: Record<string, string>; problems: string[] } {
  const values = { ...given };
  const problems: Reason[] = [];
  for (const name of secretSettings) {
    const fileName = `${name}_FILE`;
    const path = given[fileName];
    if (path === undefined) continue;
    delete values[fileName];
    if (given[name] !== undefined) {
      problems.push({ code: "secret_given_twice", details: { name, fileName } });
      continue;
    }
    try {
      const text = readFileSync(path, "utf8").trim();
      if (text === "") problems.push({ code: "secret_file_empty", details: { name, fileName, path } });
      else values[name] = text;
    } catch (error) {
      const { code: reason = "unknown" } = error as NodeJS.ErrnoException;
      problems.push({ code: "secret_file_unreadable", details: { fileName, path, reason } });
    }
  }
  return { values, problems: problems.map((problem) => sayReason(problem)) };
}
