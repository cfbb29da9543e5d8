import { accessSync, constants, existsSync } from "node:fs";
import { dirname } from "node:path";
import { reasonOf } from "../../base/errors.ts";
import { isLoopback } from "../../config/readers.ts";
import type { Config } from "../../config/load.ts";
import { fail, ok, warn, type Check } from "./check.ts";

/**
 * Whether readers can use the links in their emails. One-click unsubscribe needs HTTPS (RFC 8058 §3.1), and Gmail and Yahoo
 * require it from bulk senders.
 */
export function checkPublicUrl({ publicUrl, smtp }: Pick<Config, "publicUrl" | "smtp">): Check {
  const name = "public URL";
  const { protocol, hostname } = new URL(publicUrl);
  const here = isLoopback(hostname.replace(/^\[|\]$/g, ""));
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
