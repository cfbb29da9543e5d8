import { englishWording, type MessageKey, type Wording } from "../../wording/catalogue.ts";
import { parseTimezone } from "../../base/schedule-values.ts";

const regions: Record<string, MessageKey> = {
  Africa: "region.Africa",
  America: "region.America",
  Antarctica: "region.Antarctica",
  Arctic: "region.Arctic",
  Asia: "region.Asia",
  Atlantic: "region.Atlantic",
  Australia: "region.Australia",
  Europe: "region.Europe",
  Indian: "region.Indian",
  Pacific: "region.Pacific",
  Etc: "region.Etc",
};

/** The time zones of the world as options of a select, grouped by region. It is the same for everybody: make it once. */
export function zoneOptions({ say }: Pick<Wording, "say">): string {
  return groups()
    .map(([region, zones]) => {
      const label = regions[region] ? say(regions[region]) : region;
      return `<optgroup label="${label}">${zones.map(option).join("")}</optgroup>`;
    })
    .join("");
}

export const englishZones = zoneOptions(englishWording());

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
  return [...byRegion];
}

function option(zone: string): string {
  return `<option value="${zone}">${zoneName(zone)}</option>`;
}
