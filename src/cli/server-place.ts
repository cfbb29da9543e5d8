import { Refusal } from "../base/errors.ts";
import { readIfThere } from "../base/private-file.ts";
import type { Config } from "../config/load.ts";
import { addressFile, tokenFile } from "../operations/keys.ts";

export interface ServerPlace {
  url: string;
  token: string | null;
}

/**
 * The server that commands send requests to: the one in the settings, or the one in the data folder of this machine. The token
 * in the data folder is sent only to the server in the same folder.
 * @throws Refusal if there is neither
 */
export function findServer(config: Pick<Config, "serverUrl" | "bootstrapToken" | "dataDir">): ServerPlace {
  const here = readIfThere(addressFile(config.dataDir));
  const url = config.serverUrl ?? here;
  if (url === null) {
    throw new Refusal(
      503,
      `No running server found in ${config.dataDir}. Start the server, or set DAYLETTER_URL and DAYLETTER_TOKEN.`,
    );
  }
  const local = here !== null && sameOrigin(url, here) ? readIfThere(tokenFile(config.dataDir)) : null;
  return { url: url.replace(/(?<!\/)\/+$/, ""), token: config.bootstrapToken ?? local };
}

function sameOrigin(one: string, other: string): boolean {
  return URL.canParse(one) && URL.canParse(other) && new URL(one).origin === new URL(other).origin;
}
