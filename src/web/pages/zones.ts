import { inEnglish, sentence, type Sentence } from "../../base/sentence.ts";
import type { PageWords } from "../language/words.ts";
import { parseTimezone } from "../../schedule/settings.ts";

const regions: Record<string, Sentence> = {
  Africa: sentence("Africa"),
  America: sentence("America"),
  Antarctica: sentence("Antarctica"),
  Arctic: sentence("Arctic"),
  Asia: sentence("Asia"),
  Atlantic: sentence("Atlantic"),
  Australia: sentence("Australia"),
  Europe: sentence("Europe"),
  Indian: sentence("Indian Ocean"),
  Pacific: sentence("Pacific"),
  Etc: sentence("Other"),
};

/** The time zones of the world as options of a select, grouped by region. It is the same for everybody: make it once. */
export function zoneOptions({ tell }: Pick<PageWords, "tell">): string {
  return groups()
    .map(([region, zones]) => {
      const label = regions[region] ? tell(regions[region]) : region;
      return `<optgroup label="${label}">${zones.map(option).join("")}</optgroup>`;
    })
    .join("");
}

export const englishZones = zoneOptions({ tell: inEnglish });

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
