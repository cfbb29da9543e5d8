import type { Clock } from "../base/clock.ts";
import type { OwnSettings } from "../config/own.ts";
import type { Db } from "../db/schema.ts";
import { writeAudit } from "../audit/audit.ts";

export interface SettingsDeps {
  settings: OwnSettings;
  db: Db;
  clock: Clock;
}

/** The audit log records only the names of these. */
const secrets = new Set(["SMTP_URL"]);

/**
 * Writes settings to the data folder. They take effect when the server has restarted.
 * @returns whether any of them changed
 * @throws Refusal 422 if the resulting settings are invalid
 */
export async function saveSettings(
  { settings, db, clock }: SettingsDeps,
  request: { wanted: Readonly<Record<string, string>>; actor: string },
): Promise<boolean> {
  const { wanted, actor } = request;
  const before = settings.values();
  const names = Object.keys(wanted).filter((name) => wanted[name] !== (before[name] ?? ""));
  if (names.length === 0) return false;
  settings.save(wanted);
  const detail = Object.fromEntries(names.map((name) => [name, secrets.has(name) ? "changed" : wanted[name]]));
  await writeAudit(db, { at: clock.now(), actor, action: "settings set", subject: names.join(", "), detail });
  return true;
}
