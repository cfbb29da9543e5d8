import type { FastifyInstance } from "fastify";
import type { App } from "../../app.ts";
import { Refusal } from "../../base/errors.ts";
import { localDate } from "../../schedule/calendar.ts";
import { recordedLately } from "../../editions/due.ts";
import { comingSends } from "../../operations/status.ts";
import { longDate } from "../../render/dates.ts";
import { changeSchedule } from "../../editions/change-schedule.ts";
import { changeMove } from "../../editions/move-date.ts";
import { consequenceOf, type Consequence } from "../../schedule/passed.ts";
import { revisionOf } from "../../schedule/revision.ts";
import { parseDate, parseDates, parseSendAt, parseSendDays, parseTimezone } from "../../base/schedule-values.ts";
import { changeSkips } from "../../editions/skip-dates.ts";
import { loadSchedule, type EffectiveSchedule } from "../../schedule/store.ts";
import { readFields, type Fields } from "../pages/fields.ts";
import { englishZones } from "../pages/zones.ts";
import { englishOf } from "../../wording/catalogue.ts";
import { needs, type Show } from "./desk.ts";
import { moment, span } from "./format.ts";

const days = [
  ["mon", "Monday"],
  ["tue", "Tuesday"],
  ["wed", "Wednesday"],
  ["thu", "Thursday"],
  ["fri", "Friday"],
  ["sat", "Saturday"],
  ["sun", "Sunday"],
] as const;

type Wanted = Pick<EffectiveSchedule, "timezone" | "sendAt" | "sendDays">;

/** `/operator/schedule`: when editions are sent. The page previews a change before it is saved. */
export function addSchedulePage(web: FastifyInstance, app: App, show: Show): void {
  const { db, clock, options } = app;
  const language = englishOf(app.config.language);
  const path = "/operator/schedule";

  web.get(path, needs.viewer, async (request, reply) => {
    const fields = readFields(request.query);
    const present = await loadSchedule(db);
    const { wanted, wrong } = read(fields, present);
    const next = wrong === null ? await comingSends(db, clock.now(), { ...present, ...wanted }) : [];
    const changed = wrong === null && !same(wanted, present);
    const typed = fields.has("sendAt");
    return show(
      request,
      reply,
      { name: "schedule", title: "Schedule", place: "schedule" },
      {
        saved: savedWords(fields.one("saved")),
        sendAt: typed ? fields.one("sendAt").slice(0, 20) : present.sendAt,
        timezone: typed ? fields.one("timezone").slice(0, 100) : present.timezone,
        zones: englishZones,
        days: days.map(([name, label], i) => ({
          name,
          label,
          on: (typed ? wanted : present).sendDays.includes(i + 1),
        })),
        wrong: wrong?.message ?? null,
        changed,
        passed: changed ? passedWords(await consequence(present, wanted)) : null,
        revision: revisionOf(present),
        wanted: {
          sendAt: wanted.sendAt,
          timezone: wanted.timezone,
          days: wanted.sendDays.map((day) => days[day - 1]![0]).join(","),
        },
        next: next.map((send) => ({
          date: send.date,
          ...moment(send.at, wanted.timezone, language),
          note: send.note,
          moved: present.moved?.has(send.date) ?? false,
          wait: span(send.at.getTime() - clock.now().getTime()),
        })),
        skipped: [...present.skipped]
          .filter((date) => date >= localDate(clock.now(), present.timezone))
          .toSorted()
          .map((date) => ({ date, words: longDate(date, language) })),
      },
    );
  });

  web.post(path, needs.editor, async (request, reply) => {
    const fields = readFields(request.body);
    const { wanted, wrong } = read(fields, await loadSchedule(db));
    if (wrong !== null) throw wrong;
    const passed = (["send", "skip"] as const).find((choice) => choice === fields.one("passed"));
    const change = { ...wanted, sendDays: [...wanted.sendDays] };
    await changeSchedule(app, change, { actor: request.operator.name, passed, revision: seen(fields) });
    return reply.redirect(`${path}?saved=schedule`, 303);
  });

  for (const [act, skip] of [
    ["skip", true],
    ["unskip", false],
  ] as const) {
    web.post(`${path}/${act}`, needs.editor, async (request, reply) => {
      const fields = readFields(request.body);
      await changeSkips(app, { dates: parseDates(fields.one("date")), skip, actor: request.operator.name });
      return reply.redirect(`${path}?saved=${act}`, 303);
    });
  }

  web.post(`${path}/move`, needs.editor, async (request, reply) => {
    const fields = readFields(request.body);
    const time = fields.one("time");
    const sendAt = time === "" ? null : parseSendAt(time);
    const date = parseDate(fields.one("date"));
    await changeMove(app, { date, sendAt, actor: request.operator.name, revision: seen(fields) });
    return reply.redirect(`${path}?saved=${sendAt === null ? "unmove" : "move"}`, 303);
  });

  async function consequence(before: EffectiveSchedule, wanted: Wanted): Promise<Consequence> {
    const now = clock.now();
    const recorded = await recordedLately(db, now);
    const { catchUpHours } = options;
    const { since } = before;
    return consequenceOf({ now, since, before, after: { ...before, ...wanted }, recorded, catchUpHours });
  }
}

/** The latest date whose new delivery time has already passed, and whether its edition can still be sent; null without one. */
function passedWords({ passed, sendable }: Consequence): { date: string; sendable: boolean } | null {
  const last = passed.at(-1);
  return last ? { date: last.date, sendable: sendable !== null } : null;
}

/** The schedule revision that the form was rendered with. */
function seen(fields: Fields): string | undefined {
  return fields.one("revision") || undefined;
}

/** The schedule in the fields, or the refusal of invalid fields. Without fields, the present schedule. */
function read(fields: Fields, present: Wanted): { wanted: Wanted; wrong: Refusal | null } {
  if (!fields.has("sendAt")) return { wanted: present, wrong: null };
  try {
    const chosen = [...fields.all("day"), ...fields.all("days").flatMap((list) => list.split(","))];
    if (chosen.length === 0) throw new Refusal(422, "no_weekday_chosen");
    const wanted = {
      sendAt: parseSendAt(fields.one("sendAt")),
      timezone: parseTimezone(fields.one("timezone")),
      sendDays: parseSendDays(chosen.join(",")),
    };
    return { wanted, wrong: null };
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    return { wanted: present, wrong: error };
  }
}

function same(a: Wanted, b: Wanted): boolean {
  return a.sendAt === b.sendAt && a.timezone === b.timezone && a.sendDays.join() === b.sendDays.join();
}

function savedWords(saved: string): string | null {
  if (saved === "schedule") return "Schedule saved. It applies from now on.";
  if (saved === "skip") return "Dates skipped. They are listed below.";
  if (saved === "unskip") return "Date put back into the schedule.";
  if (saved === "move") return "Delivery time changed for that date.";
  if (saved === "unmove") return "Usual delivery time restored for that date.";
  return null;
}
