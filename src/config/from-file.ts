import { readFileSync } from "node:fs";
import { secretSettings } from "./schema.ts";

type Values = Readonly<Record<string, string>>;

/**
 * Replaces each `NAME_FILE` of a secret setting by `NAME` with the text of that file, as container secrets and systemd
 * credentials are handed over. White space around the text is trimmed.
 * @returns the settings, and one sentence for each file that cannot be used; such a setting is left out
 */
export function readSecretFiles(given: Values): { values: Record<string, string>; problems: string[] } {
  const values = { ...given };
  const problems: string[] = [];
  for (const name of secretSettings) {
    const fileName = `${name}_FILE`;
    const path = given[fileName];
    if (path === undefined) continue;
    delete values[fileName];
    if (given[name] !== undefined) {
      problems.push(`${name} and ${fileName} are both set: unset one of them.`);
      continue;
    }
    try {
      const text = readFileSync(path, "utf8").trim();
      if (text === "") problems.push(`${fileName}: the file ${path} is empty: write the value of ${name} into it.`);
      else values[name] = text;
    } catch (error) {
      const code = (error as NodeJS.ErrnoException).code ?? "unknown reason";
      problems.push(`${fileName}: the file ${path} cannot be read (${code}): check its path and permissions.`);
    }
  }
  return { values, problems };
}
