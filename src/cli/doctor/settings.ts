import { accessSync, constants, existsSync } from "node:fs";
import { dirname } from "node:path";
import { reasonOf } from "../../base/errors.ts";
import { isLoopback } from "../../config/readers.ts";
import type { Config } from "../../config/load.ts";
import { fail, ok, warn, type Check } from "./check.ts";

/**
 * Whether readers can use the links in their mails. One-click unsubscribing needs https (RFC 8058 §3.1), and Gmail and
 * Yahoo ask bulk senders for it.
 */
export function checkPublicUrl({ publicUrl, smtp }: Pick<Config, "publicUrl" | "smtp">): Check {
  const name = "public URL";
  const { protocol, hostname } = new URL(publicUrl);
  const here = isLoopback(hostname.replace(/^\[|\]$/g, ""));
  const toTheWorld = smtp !== null && !isLoopback(smtp.host);
  if (here && toTheWorld) {
    return fail(
      name,
      `${publicUrl} leads to this machine only: set PUBLIC_URL to the address at which readers reach it.`,
    );
  }
  if (here) return ok(name, `${publicUrl}, for this machine only.`);
  if (protocol === "https:") return ok(name, `${publicUrl}.`);
  const what = `${publicUrl} is not https, without which mail programs offer no one-click unsubscribing`;
  const how = "put a proxy with a certificate in front and set PUBLIC_URL to https://…";
  return (toTheWorld ? fail : warn)(name, `${what}: ${how}.`);
}

/** The folder itself, or the one in which the first start would make it. */
export function checkDataFolder(dataDir: string): Check {
  const name = "data folder";
  let folder = dataDir;
  while (!existsSync(folder) && dirname(folder) !== folder) folder = dirname(folder);
  try {
    accessSync(folder, constants.R_OK | constants.W_OK | constants.X_OK);
    return ok(name, folder === dataDir ? `${dataDir} can be written.` : `${dataDir} can be made in ${folder}.`);
  } catch (error) {
    return fail(name, `${folder} cannot be written (${reasonOf(error)}): give it to this user, or set DATA_DIR.`);
  }
}
