import type { Clock } from "../base/clock.ts";
import type { SavedSettings } from "../config/saved-settings.ts";
import { secretSettings } from "../config/settings.ts";
import type { Db } from "../db/schema.ts";
import { writeAudit } from "../audit/audit.ts";
import { storedReason, Refusal } from "../base/errors.ts";
import { logoOf, type Logo } from "../config/logo.ts";

interface SettingsDeps {
  settings: SavedSettings;
  db: Db;
  clock: Clock;
}

/**
 * Saves settings. They take effect when the server has restarted, and in other processes of the same database when those
 * notice the change (`SavedSettings.isOutdated`).
 * @param request.logo the content of PUBLICATION_LOGO, if `wanted` has it
 * @returns whether any of them changed
 * @throws Refusal 422 if the resulting settings are invalid
 */
export async function saveSettings(
  { settings, db, clock }: SettingsDeps,
  request: { wanted: Readonly<Record<string, string>>; logo?: Logo | null; actor: string },
): Promise<boolean> {
  const { wanted, logo, actor } = request;
  const before = await settings.values();
  const names = Object.keys(wanted).filter((name) => wanted[name] !== (before[name] ?? ""));
  if (names.length === 0) return false;
  // The audit log records only the names of secrets.
  const secrets = new Set<string>(secretSettings);
  const detail = Object.fromEntries(names.map((name) => [name, secrets.has(name) ? "changed" : wanted[name]]));
  await db.transaction().execute(async (tx) => {
    await settings.save(tx, wanted, logo ?? undefined);
    await writeAudit(tx, { at: clock.now(), actor, action: "settings set", subject: names.join(", "), detail });
  });
  return true;
}

/** Larger than the limit for logos, so that a slightly larger file gets an error that names the limit. */
export const largestUpload = 5_000_000;

/**
 * Saves a logo, or removes it. It takes effect when the server has restarted.
 * @param request.content the file's content, or null to remove the logo
 * @returns the new logo, and whether it differs from the previous one
 * @throws Refusal 409 if the environment sets it, 422 for a file that cannot be a logo
 */
export async function changeLogo(
  deps: SettingsDeps,
  request: { content: Buffer | null; actor: string },
): Promise<{ logo: Logo | null; changed: boolean }> {
  const { settings } = deps;
  if (settings.place === null || settings.fixed("PUBLICATION_LOGO") !== null) throw new Refusal(409, "logo_fixed");
  const logo = request.content === null ? null : readable(request.content);
  const wanted = { PUBLICATION_LOGO: logo?.name ?? "" };
  const changed = await saveSettings(deps, { wanted, logo, actor: request.actor });
  return { logo, changed };
}

function readable(content: Buffer): Logo {
  try {
    return logoOf(content);
  } catch (error) {
    throw error instanceof Refusal ? new Refusal(422, "logo_invalid", { reason: storedReason(error) }) : error;
  }
}
