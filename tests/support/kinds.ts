import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";
import { services } from "./services.ts";

/** The kinds of tests; tests/README.md says what belongs in each. Their names are vitest's project names. */
export const kinds = ["unit", "integration", "journeys", "services", "browser"] as const;
export type Kind = (typeof kinds)[number];

/** Kinds this machine cannot run, each with what it lacks and how to get it. Empty under CI=true, which throws instead. */
export function leftOut(): Map<Kind, string> {
  const missing = new Map<Kind, string>();
  if (services() === null) {
    missing.set(
      "services",
      "needs PostgreSQL and Redis: npm run services -- npm test, or set TEST_DATABASE_URL and TEST_REDIS_URL",
    );
  }
  if (chromium() === null) missing.set("browser", "needs Chromium: apt-get install chromium, or set TEST_CHROMIUM");
  return missing;
}

/** Path of a Chromium to test with, from TEST_CHROMIUM or the PATH, or null where there is none. Throws under CI=true. */
export function chromium(): string | null {
  const named = process.env["TEST_CHROMIUM"];
  if (named) return named;
  for (const folder of (process.env["PATH"] ?? "").split(delimiter)) {
    for (const name of ["chromium", "chromium-browser", "google-chrome"]) {
      const path = join(folder, name);
      if (isProgram(path)) return path;
    }
  }
  if (process.env["CI"] === "true") throw new Error("Chromium must be installed when CI=true: run .ci/run.");
  return null;
}

/** Whether `path` is a file that this process may run. */
export function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
