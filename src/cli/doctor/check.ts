import { accessSync, constants, existsSync } from "node:fs";
import { dirname } from "node:path";
import { reasonOf } from "../../base/errors.ts";
import { isLoopback } from "../../config/parse-values.ts";
import type { Config } from "../../config/load.ts";

/** The result of one check. The sentence of a warning or failure says what to do. */
export interface Check {
  name: string;
  level: "ok" | "warn" | "fail";
  sentence: string;
}

export const ok = (name: string, sentence: string): Check => ({ name, level: "ok", sentence });
export const warn = (name: string, sentence: string): Check => ({ name, level: "warn", sentence });
export const fail = (name: string, sentence: string): Check => ({ name, level: "fail", sentence });

/** The last line: `9 checks: 7 ok, 1 warning, 1 failure.` */
export function summary(checks: readonly Check[]): string {
  const of = (level: Check["level"]): number => checks.filter((check) => check.level === level).length;
  const plural = (n: number, word: string): string => `${n} ${word}${n === 1 ? "" : "s"}`;
  return `${plural(checks.length, "check")}: ${of("ok")} ok, ${plural(of("warn"), "warning")}, ${plural(of("fail"), "failure")}.`;
}

/**
 * Whether readers can use the links in their emails. One-click unsubscribe needs HTTPS (RFC 8058 §3.1), and Gmail and Yahoo
 * require it from bulk senders.
 * @param running the address of the server that runs with this data folder, or null
 */
export function checkPublicUrl(config: Pick<Config, "publicUrl" | "smtp">, running: string | null = null): Check {
  const name = "public URL";
  const { smtp } = config;
  // Without PUBLIC_URL, the running server's port counts, and not the one in this environment.
  const publicUrl = running !== null && isLocal(config.publicUrl) && isLocal(running) ? running : config.publicUrl;
  const { protocol } = new URL(publicUrl);
  const here = isLocal(publicUrl);
  const toTheWorld = smtp !== null && !isLoopback(smtp.host);
  if (here && toTheWorld) {
    return fail(name, `${publicUrl} works on this machine only. Set PUBLIC_URL to the URL that readers use.`);
  }
  if (here) return ok(name, `${publicUrl}, which works on this machine only.`);
  if (protocol === "https:") return ok(name, `${publicUrl}.`);
  const what = `${publicUrl} does not use HTTPS, so email programs offer no one-click unsubscribe`;
  const how = "Put a proxy with a certificate in front of the server, and set PUBLIC_URL to https://…";
  return (toTheWorld ? fail : warn)(name, `${what}. ${how}.`);
}

function isLocal(url: string): boolean {
  return isLoopback(new URL(url).hostname.replace(/^\[|\]$/g, ""));
}

/** Checks the folder, or the nearest parent folder that exists. */
export function checkDataFolder(dataDir: string): Check {
  const name = "data folder";
  let folder = dataDir;
  while (!existsSync(folder) && dirname(folder) !== folder) folder = dirname(folder);
  try {
    accessSync(folder, constants.R_OK | constants.W_OK | constants.X_OK);
    return ok(name, folder === dataDir ? `${dataDir} is writable.` : `${dataDir} can be created in ${folder}.`);
  } catch (error) {
    return fail(
      name,
      `${folder} is not writable (${reasonOf(error)}). Give this user access to it, or set DATA_DIR to another folder.`,
    );
  }
}
