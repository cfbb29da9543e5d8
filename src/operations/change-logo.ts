import { readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { Refusal } from "../base/errors.ts";
import { writePrivateBytes } from "../base/private-file.ts";
import { logoOf, type Logo } from "../config/logo.ts";
import type { OwnSettings } from "../config/own.ts";
import { saveSettings, type SettingsDeps } from "./change-settings.ts";

/** Larger than the limit for logos, so that a slightly larger file gets an error that names the limit. */
export const largestUpload = 5_000_000;

/** Whether the environment sets the logo. */
export function isLogoFixed({ writable, fixed }: OwnSettings): boolean {
  return !writable || fixed.has("PUBLICATION_LOGO");
}

/**
 * Saves a logo in the data folder, or removes it. It takes effect when the server has restarted.
 * @param request.the file's content, or null to remove the logo
 * @returns the new logo, and whether it differs from the previous one
 * @throws Refusal 409 if the environment sets it, 422 for a file that cannot be a logo
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
  // Keep the active logo, because a failed restart falls back to it, and a logo that was set in the meantime.
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
