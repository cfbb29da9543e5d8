import { askWhy } from "../../editions/explain.ts";
import { whyInWords } from "../../texts/editions.ts";
import { findSubscriber, type Subscriber } from "../../subscribers/store.ts";
import { questionsOf } from "../../subscribers/questions.ts";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { App } from "../../app.ts";
import { Refusal } from "../../base/errors.ts";
import { loadSchedule } from "../../schedule/store.ts";
import { type Fields, readFields } from "../pages/fields.ts";
import { englishZones, readZone, zoneName } from "../pages/timezone.ts";
import { editReader, type ReaderEdit } from "../../subscribers/edit.ts";
import { listAllTags } from "../../articles/tag-store.ts";
import { localDate } from "../../schedule/calendar.ts";
import { englishOf, englishWording, sayFailure } from "../../texts/catalogue.ts";
import { needs, type Show } from "./dashboard.ts";
import { shortMoment } from "./format.ts";
import { listEditions } from "../../editions/store.ts";
import { longDate, httpUrl } from "../../render/plain.ts";
import { parseDate } from "../../base/schedule-values.ts";
import { erase } from "../../subscribers/erase.ts";
import { noSuchReader } from "../../subscribers/preferences.ts";
import { unsubscribeReader } from "../../subscribers/unsubscribe.ts";
import { tagQuery } from "../tag-query.ts";

type AppDeps = Pick<App, "config" | "options" | "clock" | "db" | "log" | "wake">;

const { say } = englishWording();

const offeredDates = 14;

/** `/operator/readers/:id`: one reader, and the explanation of what they got on a date. */
export function addReaderPage(web: FastifyInstance, app: AppDeps, show: Show): void {
  const { db, clock } = app;
  type Params = { Params: { id: string } };

  web.get<Params>("/operator/readers/:id", needs.viewer, async (request, reply) => {
    const done = readFields(request.query).one("done");
    return answer(request, reply, { notice: readerDone(done) });
  });

  web.post<Params>("/operator/readers/:id/edit", needs.editor, async (request, reply) => {
    const reader = await find(request.params.id);
    const draft = draftOf(readFields(request.body));
    try {
      const { pendingAddress } = await editReader(app, {
        id: reader.id,
        actor: request.operator.name,
        ...editOf(draft, showEdit(reader, { timezone: (await loadSchedule(db)).timezone, now: clock.now() })),
      });
      return await reply.redirect(
        `/operator/readers/${reader.id}?done=${pendingAddress === null ? "edit" : "address"}`,
        303,
      );
    } catch (error) {
      if (!(error instanceof Refusal) || error.status === 404 || error.status >= 500) throw error;
      return answer(request, reply.code(error.status), { notice: null, draft, wrong: error });
    }
  });

  async function answer(
    request: FastifyRequest<Params>,
    reply: FastifyReply,
    { notice, draft, wrong }: { notice: string | null; draft?: Draft; wrong?: Refusal },
  ): Promise<FastifyReply> {
    const reader = await find(request.params.id);
    const query = readFields(request.query);
    const language = englishOf(app.config.language);
    const { timezone } = await loadSchedule(db);
    const asked = query.one("date").trim();
    const date = asked === "" ? null : parseDate(asked.split(".")[0]!);
    const why = await askWhy(app, reader.id, ...(date === null ? [] : [{ date }]));
    const dates = new Set([why.date, ...(await listEditions(db, offeredDates)).map((edition) => edition.date)]);
    const at = (instant: Date | null): string | null => (instant ? shortMoment(instant, timezone, language) : null);
    const dayOf = (instant: Date): string => longDate(localDate(instant, timezone), language);
    return show(
      request,
      reply,
      { name: "reader", title: reader.address, place: "readers" },
      {
        reader: {
          path: `/operator/readers/${reader.id}`,
          address: reader.address,
          status: reader.status,
          allTags: reader.allTags,
          tags: reader.tags.map((name) => ({ name, hidden: reader.hiddenTags.includes(name) })),
          zone: reader.timezone,
          created: at(reader.createdAt),
          confirmed: at(reader.confirmedAt),
          left: at(reader.leftAt),
          paused: reader.pausedUntil && reader.pausedUntil > clock.now() ? at(reader.pausedUntil) : null,
          pausedSince: reader.status === "active" && reader.pausedSince ? dayOf(reader.pausedSince) : null,
          questions: (await questionsOf(db, reader.id)).map(({ askedAt, cause, outcome }) =>
            say("readers.question", {
              at: dayOf(askedAt),
              cause,
              outcome: outcome ?? "none",
            }),
          ),
          preview: reader.allTags ? "/operator/preview" : `/operator/preview${tagQuery(reader.tags)}`,
        },
        notice,
        edit: showEdit(reader, { timezone, now: clock.now() }, draft),
        names: (await listAllTags(db, clock.now())).map(({ name }) => name),
        zones: englishZones,
        wrong: wrong ? { field: fieldOf(wrong), sentence: sayFailure(wrong) } : null,
        why: {
          date: why.date,
          day: longDate(why.date, language),
          sentence: why.none && whyInWords(why.none, why.timezone),
          editions: why.editions.map((one) => ({
            ...one,
            sentence: whyInWords(one, one.timezone),
            path: `/operator/editions/${one.edition}`,
            articles: one.articles.map((article) => ({
              ...article,
              url: httpUrl(article.url),
              because: article.because.join(", "),
            })),
          })),
        },
        dates: [...dates]
          .toSorted()
          .toReversed()
          .map((one) => ({ date: one, label: longDate(one, language), chosen: one === why.date })),
      },
    );
  }

  web.get<Params>("/operator/readers/:id/unsubscribe", needs.editor, async (request, reply) => {
    const { id, address } = await find(request.params.id);
    return show(
      request,
      reply,
      { name: "confirm", title: say("readers.unsubscribe"), place: "readers" },
      {
        question: say("readers.unsubscribe_question", { address }),
        effect: say("readers.unsubscribe_effect"),
        label: say("readers.unsubscribe"),
        post: `/operator/readers/${id}/unsubscribe`,
        back: `/operator/readers/${id}`,
        hidden: [],
      },
    );
  });

  web.post<Params>("/operator/readers/:id/unsubscribe", needs.editor, async (request, reply) => {
    const { id } = await find(request.params.id);
    await unsubscribeReader(app, { id, actor: request.operator.name });
    return reply.redirect(`/operator/readers/${id}?done=unsubscribe`, 303);
  });

  web.get<Params>("/operator/readers/:id/erase", needs.editor, async (request, reply) => {
    const { id, address } = await find(request.params.id);
    return show(
      request,
      reply,
      { name: "confirm", title: say("readers.erase"), place: "readers" },
      {
        question: say("readers.erase_question", { address }),
        effect: say("readers.erase_effect"),
        label: say("readers.erase"),
        post: `/operator/readers/${id}/erase`,
        back: `/operator/readers/${id}`,
        hidden: [],
      },
    );
  });

  web.post<Params>("/operator/readers/:id/erase", needs.editor, async (request, reply) => {
    const { id } = await find(request.params.id);
    await erase(app, id, request.operator.name);
    return reply.redirect("/operator/readers?done=erase", 303);
  });

  async function find(raw: string): Promise<Subscriber> {
    if (!/^[1-9]\d{0,14}$/.test(raw)) throw new Refusal(404, "reader_page_not_found");
    const reader = await findSubscriber(db, Number(raw));
    if (!reader) throw noSuchReader(Number(raw));
    return reader;
  }
}

/** What was entered on a reader's page: one of its two forms. */
type Draft =
  | { address: string }
  | { allTags: boolean; kept: string[]; more: string; pause: string; zone: string; resume: boolean };

function draftOf(fields: Fields): Draft {
  if (fields.has("address")) return { address: fields.one("address") };
  return {
    allTags: fields.one("all") === "1",
    kept: fields.all("tag"),
    more: fields.one("tags"),
    pause: fields.one("pause").trim(),
    zone: fields.one("timezone"),
    resume: fields.one("resume") === "1",
  };
}

function editOf(draft: Draft, shown: { pause: string }): ReaderEdit {
  if ("address" in draft) return draft;
  const { allTags, kept, more, pause, zone, resume } = draft;
  const tags = [...kept, ...more.split(",")].filter((name) => name.trim() !== "");
  const edit = { allTags, tags, timezone: readZone(zone) };
  // The form shows the date of a pause only, and its time must not change with it.
  if (pause === shown.pause) return resume ? { ...edit, pausedUntil: null } : edit;
  return { ...edit, pausedUntil: pause === "" ? null : { date: parseDate(pause) } };
}

/** The values of the form: what was entered, otherwise what is stored. */
function showEdit(reader: Subscriber, { timezone, now }: { timezone: string; now: Date }, draft?: Draft) {
  const entered = draft === undefined || "address" in draft ? null : draft;
  const paused = reader.pausedUntil !== null && reader.pausedUntil > now ? reader.pausedUntil : null;
  const kept = new Set(entered?.kept ?? reader.tags);
  const zone = entered?.zone ?? reader.timezone ?? "";
  return {
    path: `/operator/readers/${reader.id}/edit`,
    allTags: entered?.allTags ?? reader.allTags,
    tags: reader.tags.map((name) => ({ name, kept: kept.has(name) })),
    more: entered?.more ?? "",
    pause: entered?.pause ?? (paused === null ? "" : localDate(paused, timezone)),
    resumes: reader.status === "active" && reader.pausedSince !== null,
    least: localDate(now, timezone),
    zone: zone === "" ? null : { name: zone, label: zoneName(zone) },
    publicationZone: timezone,
    address: draft !== undefined && "address" in draft ? draft.address : "",
    mayMove: reader.status === "active",
  };
}

const fieldsOfCodes: Partial<Record<string, string>> = {
  nothing_followed: "tags",
  tag_unknown: "tags",
  pause_invalid: "pause",
  date_invalid: "pause",
  timezone_invalid: "zone",
};

function fieldOf({ code }: Refusal): string {
  return fieldsOfCodes[code ?? ""] ?? "address";
}

function readerDone(done: string): string | null {
  if (done === "unsubscribe") return say("readers.unsubscribed");
  if (done === "edit") return say("readers.edited");
  if (done === "address") return say("readers.address_asked");
  return null;
}
