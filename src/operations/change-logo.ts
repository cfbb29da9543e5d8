import { readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { Refusal } from "../base/errors.ts";
import { writePrivateBytes } from "../base/private-file.ts";
import { logoOf, type Logo } from "../config/logo.ts";
import type { OwnSettings } from "../config/own.ts";
import { saveSettings, type SettingsDeps } from "./change-settings.ts";

/** Larger than a logo may be, so that one somewhat too large is told what it may be. */
export const largestUpload = 5_000_000;

/** Whether the environment decides about the logo. */
export function isLogoFixed({ writable, fixed }: OwnSettings): boolean {
  return !writable || fixed.has("PUBLICATION_LOGO");
}

/**
 * Puts a logo into the data folder, or takes it away; it is in force once the server has opened anew.
 * @param request.content of the file; null takes the logo away
 * @returns the logo as it is to be, and whether it was another one before
 * @throws Refusal 409 where the environment sets it, 422 for what cannot be a logo
 */
export async function changeLogo(
  deps: SettingsDeps & { config: { dataDir: string; logo: Logo | null } },
  request: { content: Buffer | null; actor: string },
): Promise<{ logo: Logo | null; changed: boolean }> {
  const { settings, config } = deps;
  if (isLogoFixed(settings)) throw new Refusal(409, "logo_fixed");
  const logo = request.content === null ? null : readable(request.content);
  const name = logo?.name ?? "";
  if (logo) writePrivateBytes(join(config.dataDir, name), logo.content);
  const changed = await saveSettings(deps, { wanted: { PUBLICATION_LOGO: name }, actor: request.actor });
  // The one that is in force stays, for the server may have to go back to it; and so does one that somebody set meanwhile.
  forgetOthers(config.dataDir, [settings.values()["PUBLICATION_LOGO"] ?? "", config.logo?.name ?? ""]);
  return { logo, changed };
}

function readable(content: Buffer): Logo {
  try {
    return logoOf(content);
  } catch (error) {
    throw error instanceof Refusal ? new Refusal(422, "logo_invalid", { reason: error.message }) : error;
  }
}

function forgetOthers(dataDir: string, but: readonly string[]): void {
  const others = readdirSync(dataDir).filter((name) => /^logo\.[0-9a-f]{12}\./.test(name) && !but.includes(name));
  for (const name of others) rmSync(join(dataDir, name), { force: true });
}
