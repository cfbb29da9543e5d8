import { localDate } from "../../schedule/calendar.ts";
import { notesInWords } from "../../texts/editions.ts";
import { changeMove, changeSchedule, changeSkips } from "../../editions/change-schedule.ts";
import { type Consequence, consequenceOf } from "../../schedule/next-edition.ts";
import { type EffectiveSchedule, loadSchedule, revisionOf } from "../../schedule/store.ts";
import { type Fields, readFields } from "../pages/fields.ts";
import { englishOf, sayFailure, englishWording } from "../../texts/catalogue.ts";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { App } from "../../app.ts";
import { Refusal } from "../../base/errors.ts";
import { recordedLately } from "../../editions/due.ts";
import { comingSends } from "../../alerts/status.ts";
import { longDate } from "../../render/plain.ts";
import {
  parseDate,
  parseDates,
  parseSendAt,
  parseSendDays,
  parseTimezone,
  writeSendDays,
} from "../../base/schedule-values.ts";
import { englishZones } from "../pages/timezone.ts";
import { needs, type Show } from "./dashboard.ts";
import { moment, span, weekdays } from "./format.ts";

const { say } = englishWording();

type AppDeps = Pick<App, "config" | "options" | "clock" | "log" | "trace" | "db" | "queues" | "wake" | "gather">;

type Wanted = Pick<EffectiveSchedule, "timezone" | "sendAt" | "sendDays">;

/** `/operator/schedule`: when editions are sent. The page previews a change before it is saved. */
export function addSchedulePage(web: FastifyInstance, app: AppDeps, show: Show): void {
  const { db, clock, options } = app;
  const language = englishOf(app.config.language);
  const path = "/operator/schedule";

  web.get(path, needs.viewer, async (request, reply) => showSchedule(request, reply, {}));

  async function showSchedule(
    request: FastifyRequest,
    reply: FastifyReply,
    { skip, move, status }: Answer,
  ): Promise<FastifyReply> {
    const fields = readFields(request.method === "GET" ? request.query : {});
    const present = await loadSchedule(db);
    const { wanted, wrong } = read(fields, present);
    const next = wrong === null ? await comingSends(db, clock.now(), { ...present, ...wanted }) : [];
    const changed = wrong === null && !same(wanted, present);
    const typed = fields.has("sendAt");
    return show(
      request,
      status === undefined ? reply : reply.code(status),
      { name: "schedule", title: say("title.schedule"), place: "schedule" },
      {
        saved: savedText(fields.one("saved")),
        skip: { date: "", until: "", wrong: null, ...skip },
        move: { date: "", time: "", wrong: null, ...move },
        sendAt: typed ? fields.one("sendAt").slice(0, 20) : present.sendAt,
        timezone: typed ? fields.one("timezone").slice(0, 100) : present.timezone,
        zones: englishZones,
        days: weekdays(language, (typed ? wanted : present).sendDays),
        wrong: wrong && sayFailure(wrong),
        changed,
        passed: changed ? lastPassed(await consequence(present, wanted)) : null,
        revision: revisionOf(present),
        wanted: {
          sendAt: wanted.sendAt,
          timezone: wanted.timezone,
          days: writeSendDays(wanted.sendDays),
        },
        next: next.map((send) => ({
          date: send.date,
          ...moment(send.at, wanted.timezone, language),
          note: notesInWords(send),
          moved: present.moved?.has(send.date) ?? false,
          wait: span(send.at.getTime() - clock.now().getTime()),
        })),
        skipped: [...present.skipped]
          .filter((date) => date >= localDate(clock.now(), present.timezone))
          .toSorted()
          .map((date) => ({ date, label: longDate(date, language) })),
      },
    );
  }

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
      const [date, until] = [fields.one("date"), fields.one("until")];
      try {
        const dates = parseDates(until === "" ? date : `${date}..${until}`);
        await changeSkips(app, { dates, skip, actor: request.operator.name });
        return await reply.redirect(`${path}?saved=${act}`, 303);
      } catch (error) {
        const { wrong, status } = refused(error);
        return showSchedule(request, reply, { skip: { date, until, wrong }, status });
      }
    });
  }

  web.post(`${path}/move`, needs.editor, async (request, reply) => {
    const fields = readFields(request.body);
    const time = fields.one("time");
    const date = fields.one("date");
    try {
      const sendAt = time === "" ? null : parseSendAt(time);
      const change = { date: parseDate(date), sendAt, actor: request.operator.name, revision: seen(fields) };
      await changeMove(app, change);
      return await reply.redirect(`${path}?saved=${sendAt === null ? "unmove" : "move"}`, 303);
    } catch (error) {
      const { wrong, status } = refused(error);
      return showSchedule(request, reply, { move: { date, time, wrong }, status });
    }
  });

  async function consequence(before: EffectiveSchedule, wanted: Wanted): Promise<Consequence> {
    const now = clock.now();
    const recorded = await recordedLately(db, now);
    const { catchUpHours } = options;
    return consequenceOf({ now, before, after: { ...before, ...wanted }, recorded, catchUpHours });
  }
}

/** What a form is answered with after a refusal: its input, and what is wrong with it. */
interface Answer {
  skip?: { date: string; until: string; wrong: string };
  move?: { date: string; time: string; wrong: string };
  status?: number;
}

function refused(error: unknown): { wrong: string; status: number } {
  if (!(error instanceof Refusal) || ![409, 422].includes(error.status)) throw error;
  return { wrong: sayFailure(error), status: error.status };
}

/** The latest date whose new delivery time has already passed, and whether its edition can still be sent; null without one. */
function lastPassed({ passed, sendable }: Consequence): { date: string; sendable: boolean } | null {
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

function savedText(saved: string): string | null {
  if (saved === "schedule") return say("schedule.saved");
  if (saved === "skip") return say("schedule.skipped");
  if (saved === "unskip") return say("schedule.skip_undone");
  if (saved === "move") return say("schedule.moved");
  if (saved === "unmove") return say("schedule.move_undone");
  return null;
}
