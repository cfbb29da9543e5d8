import { spawnSync } from "node:child_process";
import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";
import { services } from "./services.ts";

/** The kinds of tests; tests/README.md says what belongs in each. Their names are vitest's project names. */
export const kinds = ["unit", "integration", "journeys", "services", "browser"] as const;
export type Kind = (typeof kinds)[number];

/**
 * Kinds this machine cannot run, and single files that need more than their kind, such as `services/x.test.ts`. Each comes with
 * what it lacks and how to get it. Empty under CI=true, which throws instead.
 */
export function leftOut(): { kinds: Map<Kind, string>; files: Map<string, string> } {
  const missing = { kinds: new Map<Kind, string>(), files: new Map<string, string>() };
  if (services() === null) {
    missing.kinds.set(
      "services",
      "needs PostgreSQL and Redis: npm run services -- npm test, or set TEST_DATABASE_URL and TEST_REDIS_URL",
    );
  } else {
    if (pythonWithDkim() === null)
      missing.files.set(
        "services/dkim-python.test.ts",
        "needs dkimpy and PyNaCl: apt-get install python3-dkim python3-nacl",
      );
    if (dovecot() === null)
      missing.files.set(
        "services/bounce-mailbox.test.ts",
        "needs Dovecot: apt-get install dovecot-imapd dovecot-lmtpd",
      );
  }
  if (chromium() === null)
    missing.kinds.set("browser", "needs Chromium: apt-get install chromium, or set TEST_CHROMIUM");
  return missing;
}

/** Path of Debian's Python if it has dkimpy and PyNaCl, which Ed25519 needs, otherwise null. Throws under CI=true. */
export function pythonWithDkim(): string | null {
  const python = "/usr/bin/python3";
  if (spawnSync(python, ["-c", "import dkim, nacl"]).status === 0) return python;
  if (process.env["CI"] === "true")
    throw new Error("python3-dkim and python3-nacl must be installed when CI=true: run .ci/run.");
  return null;
}

/** Path of Dovecot if it has IMAP and LMTP, otherwise null. Throws under CI=true. */
export function dovecot(): string | null {
  const parts = ["/usr/sbin/dovecot", "/usr/lib/dovecot/imap", "/usr/lib/dovecot/lmtp"];
  if (parts.every(isProgram)) return parts[0]!;
  if (process.env["CI"] === "true")
    throw new Error("dovecot-imapd and dovecot-lmtpd must be installed when CI=true: run .ci/run.");
  return null;
}

/** Folder of Postfix's programs, or null if it isn't installed or nobody but root could start it. Throws under CI=true. */
export function postfix(): string | null {
  const folder = "/usr/lib/postfix/sbin";
  if (isProgram(join(folder, "master")) && process.getuid?.() === 0) return folder;
  if (process.env["CI"] === "true") throw new Error("Postfix must be installed when CI=true: run .ci/run as root.");
  return null;
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
