import { sayReason, type Reason } from "../base/errors.ts";
import { secretSettings, settingNames } from "./schema.ts";

const ourPrefixes = ["SMTP_", "DKIM_", "DAYLETTER_", "ALERT_"];
// Short names such as PORT and HOST are one letter away from too many unrelated variables.
const shortestCompared = 7;

/**
 * A sentence for each variable that was probably meant as a setting and would be ignored: it has one of our prefixes or is
 * one letter away from a setting.
 */
export function nearMisses(env: Readonly<Record<string, string>>): string[] {
  const known = new Set<string>(settingNames);
  return Object.entries(env)
    .filter(([name, value]) => !known.has(name) && !isServiceLink(name, value))
    .flatMap(([name]) => reasonFor(name) ?? [])
    .map((reason) => sayReason(reason));
}

/**
 * Kubernetes and container links announce a service called "smtp" as SMTP_PORT=tcp://10.0.0.7:25, SMTP_SERVICE_HOST,
 * SMTP_PORT_25_TCP_ADDR and so on. Nobody typed those.
 */
function isServiceLink(name: string, value: string): boolean {
  return /_SERVICE_(HOST|PORT)(_|$)|_PORT_\d+_(TCP|UDP)(_|$)/.test(name) || /^(tcp|udp):\/\//.test(value);
}

function reasonFor(name: string): Reason | null {
  const secretFiles = secretSettings.map((setting) => `${setting}_FILE`);
  if (name.endsWith("_FILE") && settingNames.some((setting) => `${setting}_FILE` === name)) {
    return { code: "setting_not_from_file", details: { name, names: secretFiles.join(", ") } };
  }
  const prefix = ourPrefixes.find((candidate) => name.startsWith(candidate));
  const reach = prefix === undefined ? 1 : 2;
  const near = [...settingNames, ...secretFiles]
    .filter((setting) => prefix !== undefined || setting.length >= shortestCompared)
    .map((setting) => ({ setting, distance: editDistance(name, setting) }))
    .filter(({ distance }) => distance <= reach)
    .toSorted((a, b) => a.distance - b.distance)[0];
  if (near) return { code: "setting_misspelt", details: { name, near: near.setting } };
  if (prefix === undefined) return null;
  const siblings = settingNames.filter((setting) => setting.startsWith(prefix));
  if (siblings.length === 0) return { code: "setting_unknown", details: { name } };
  return { code: "setting_unknown_prefix", details: { name, prefix, names: siblings.join(", ") } };
}

/** Insertions, deletions, replacements and swaps of neighbours (optimal string alignment distance). */
function editDistance(a: string, b: string): number {
  const rows: number[][] = [Array.from({ length: b.length + 1 }, (_, column) => column)];
  const cell = (row: number, column: number) => rows[row]?.[column] ?? Infinity;
  for (let i = 1; i <= a.length; i++) {
    rows[i] = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = cell(i - 1, j - 1) + (a[i - 1] === b[j - 1] ? 0 : 1);
      const swaps = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      const swapped = swaps ? cell(i - 2, j - 2) + 1 : Infinity;
      rows[i]![j] = Math.min(cell(i - 1, j) + 1, cell(i, j - 1) + 1, replaced, swapped);
    }
  }
  return cell(a.length, b.length);
}
