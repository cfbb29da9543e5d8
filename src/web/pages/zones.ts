import { parseTimezone } from "../../schedule/settings.ts";

/** The time zones of the world as options of a select, grouped by region. It is the same for everybody, so it is made once. */
export const zoneOptions: string = groups()
  .map(([region, zones]) => `<optgroup label="${region}">${zones.map(option).join("")}</optgroup>`)
  .join("");

/** A zone as a person reads it: `America/New_York` is `New York`, under the heading America. */
export function zoneName(zone: string): string {
  return zone.split("/").slice(1).join(", ").replaceAll("_", " ") || zone;
}

/** An empty choice is the publication's own zone, null. @throws Refusal 422 */
export function readZone(raw: string): string | null {
  return raw.trim() === "" ? null : parseTimezone(raw);
}

function groups(): [string, string[]][] {
  const byRegion = new Map<string, string[]>();
  for (const zone of new Set([...Intl.supportedValuesOf("timeZone"), "Etc/UTC"])) {
    const region = zone.includes("/") ? zone.split("/")[0]! : "Etc";
    byRegion.set(region, [...(byRegion.get(region) ?? []), zone]);
  }
  return [...byRegion].map(([region, zones]) => [region === "Etc" ? "Other" : region, zones]);
}

function option(zone: string): string {
  return `<option value="${zone}">${zoneName(zone)}</option>`;
}
