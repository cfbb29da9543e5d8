import { formatDate } from "../../base/dates.ts";
import type { FastifyInstance, FastifyReply } from "fastify";
import type { App } from "../../app.ts";
import { Refusal } from "../../base/errors.ts";
import { setReaderTimezone } from "../../subscribers/preferences.ts";
import type { Subscriber } from "../../subscribers/store.ts";
import { allowOwnScripts } from "../security.ts";
import type { ScheduleNow } from "../tag-cache.ts";
import type { Views } from "../views.ts";
import { readFields } from "./fields.ts";
import { readerPaths, type FindReader } from "./reader.ts";
import { englishWording, type MessageKey, type Wording } from "../../texts/catalogue.ts";
import { parseTimezone } from "../../base/schedule-values.ts";
import { currentZone, currentZones } from "../../base/time-zones.ts";
import { localDate, nextSends, ownHour, type Schedule } from "../../schedule/calendar.ts";

/**
 * `/preferences/:token/timezone`: by which clocks the mail comes. On a page of its own, as the list of zones is longer
 * than all else that a reader can set.
 */
export function addTimezonePages(
  web: FastifyInstance,
  app: Pick<App, "options" | "clock" | "db">,
  deps: { views: Views; find: FindReader; schedule: ScheduleNow },
): void {
  const { views, find, schedule } = deps;
  const { say, reason } = views.words;
  const zones = zoneOptions(views.words);
  const pathsOf = (reader: Subscriber) => readerPaths(app.options.secret, reader);

  async function show(reply: FastifyReply, reader: Subscriber, wrong: string | null): Promise<FastifyReply> {
    const now = await schedule();
    const { timezone, sendAt } = now;
    return views.send(allowOwnScripts(reply), "timezone", {
      title: wrong === null ? say("zone.title") : say("form.wrong_title"),
      wrong,
      sendAt,
      ownZone: zoneName(timezone),
      publicationZone: timezone,
      zones,
      zone: reader.timezone && currentZone(reader.timezone),
      zoneName: reader.timezone && zoneName(reader.timezone),
      example: reader.timezone && sayExample(now, app.clock.now(), reader.timezone, views.words),
      paths: pathsOf(reader),
    });
  }

  web.get<{ Params: { token: string } }>("/preferences/:token/timezone", async (request, reply) =>
    show(reply, await find(request, "preferences"), null),
  );

  web.post<{ Params: { token: string } }>("/preferences/:token/timezone", async (request, reply) => {
    const reader = await find(request, "preferences");
    try {
      const timezone = readZone(readFields(request.body).one("timezone"));
      await setReaderTimezone(app, { id: reader.id, timezone, by: "reader" });
    } catch (error) {
      if (!(error instanceof Refusal) || error.status !== 422) throw error;
      return show(reply.code(422), reader, reason(error));
    }
    return reply.redirect(`${pathsOf(reader).preferences}?saved=zone`, 303);
  });
}

/** `/subscribe/timezone?zone=Asia/Seoul`: what a reader's own time means, for scripts of the forms. */
export function addZoneExamples(
  web: FastifyInstance,
  { clock }: Pick<App, "clock">,
  { schedule, words }: { schedule: ScheduleNow; words: Wording },
): void {
  web.get("/subscribe/timezone", async (request, reply) => {
    const zone = parseTimezone(readFields(request.query).one("zone"));
    const sentence = sayExample(await schedule(), clock.now(), zone, words);
    return reply.header("cache-control", "no-cache").send({ zone: currentZone(zone), name: zoneName(zone), sentence });
  });
}

/** When an edition reaches a reader at their own time, and when with the others. Times are those of the reader's clock. */
interface ZoneExample {
  /** Whether they get it on its date, or on the next; `at_once` for a zone with the publication's clock. */
  code: "at_once" | "same_day" | "day_before";
  /** The weekday of the edition. */
  edition: string;
  soon: string;
  own: string;
  hours: number;
}

/** @returns null when no send is planned */
export function zoneExample(schedule: Schedule, now: Date, zone: string, language: string): ZoneExample | null {
  const [next] = nextSends(now, schedule, 1);
  if (!next) return null;
  const own = ownHour(next.at, zone, schedule.sendAt);
  const weekday = (at: Date, timeZone: string) => formatDate(at, language, { weekday: "long", timeZone });
  const clock = { hour: "2-digit", minute: "2-digit", hourCycle: "h23", timeZone: zone } as const;
  const moment = (at: Date) => `${weekday(at, zone)} ${formatDate(at, language, clock)}`;
  const late = own.getTime() - next.at.getTime();
  return {
    code: late === 0 ? "at_once" : localDate(own, zone) > next.date ? "day_before" : "same_day",
    edition: weekday(new Date(`${next.date}T12:00:00Z`), "UTC"),
    soon: moment(next.at),
    own: moment(own),
    hours: late / 3_600_000,
  };
}

function sayExample(schedule: Schedule, now: Date, zone: string, { language, say }: Wording): string | null {
  const example = zoneExample(schedule, now, zone, language);
  if (example === null) return null;
  const named = { zone: zoneName(zone), ...example };
  return example.code === "at_once" ? say("zone.at_once", { zone: named.zone }) : say("zone.example", named);
}

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
  return currentZone(zone).split("/").slice(1).join(", ").replaceAll("_", " ") || zone;
}

/** An empty choice is the publication's own zone, null. @throws Refusal 422 */
export function readZone(raw: string): string | null {
  return raw.trim() === "" ? null : parseTimezone(raw);
}

function groups(): [string, string[]][] {
  const byRegion = new Map<string, string[]>();
  for (const zone of currentZones()) {
    const region = zone.includes("/") ? zone.split("/")[0]! : "Etc";
    byRegion.set(region, [...(byRegion.get(region) ?? []), zone]);
  }
  return [...byRegion];
}

function option(zone: string): string {
  return `<option value="${zone}">${zoneName(zone)}</option>`;
}
