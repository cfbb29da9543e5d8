import type { FastifyInstance } from "fastify";
import type { App } from "../../app.ts";
import { Refusal } from "../../base/errors.ts";
import { askWhy } from "../../editions/ask-why.ts";
import { listEditions } from "../../editions/store.ts";
import { writeAudit } from "../../audit/audit.ts";
import { longDate } from "../../render/dates.ts";
import { httpUrl } from "../../render/plain.ts";
import { loadSchedule } from "../../schedule/store.ts";
import { parseDate } from "../../base/schedule-values.ts";
import { erase } from "../../subscribers/erase.ts";
import { noSuchReader } from "../../subscribers/preferences.ts";
import { findSubscriber, type Subscriber } from "../../subscribers/store.ts";
import { unsubscribe } from "../../subscribers/leave.ts";
import { readFields } from "../pages/fields.ts";
import { tagQuery } from "../tag-query.ts";
import { englishOf } from "../../wording/catalogue.ts";
import { needs, type Show } from "./desk.ts";
import { shortMoment } from "./format.ts";

const offeredDates = 14;

/** `/operator/readers/:id`: one reader, and the explanation of what they got on a date. */
export function addReaderDesk(web: FastifyInstance, app: App, show: Show): void {
  const { db, clock } = app;
  type Params = { Params: { id: string } };

  web.get<Params>("/operator/readers/:id", needs.viewer, async (request, reply) => {
    const reader = await find(request.params.id);
    const query = readFields(request.query);
    const language = englishOf(app.config.language);
    const { timezone } = await loadSchedule(db);
    const asked = query.one("date").trim();
    const date = asked === "" ? null : parseDate(asked.split(".")[0]!);
    const why = await askWhy(app, reader.id, ...(date === null ? [] : [{ date }]));
    const dates = new Set([why.date, ...(await listEditions(db, offeredDates)).map((edition) => edition.date)]);
    const at = (instant: Date | null): string | null => (instant ? shortMoment(instant, timezone, language) : null);
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
          preview: reader.allTags ? "/operator/preview" : `/operator/preview${tagQuery(reader.tags)}`,
        },
        notice: query.one("done") === "unsubscribe" ? "Unsubscribed. This reader gets no more emails." : null,
        why: {
          date: why.date,
          words: longDate(why.date, language),
          sentence: why.editions.length === 0 ? why.sentence : null,
          editions: why.editions.map((one) => ({
            ...one,
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
          .map((one) => ({ date: one, words: longDate(one, language), chosen: one === why.date })),
      },
    );
  });

  web.get<Params>("/operator/readers/:id/unsubscribe", needs.editor, async (request, reply) => {
    const { id, address } = await find(request.params.id);
    return show(
      request,
      reply,
      { name: "confirm", title: "Unsubscribe reader", place: "readers" },
      {
        question: `Unsubscribe ${address}?`,
        words: "This reader gets no more emails from now on. They can sign up again.",
        label: "Unsubscribe reader",
        post: `/operator/readers/${id}/unsubscribe`,
        back: `/operator/readers/${id}`,
        hidden: [],
      },
    );
  });

  web.post<Params>("/operator/readers/:id/unsubscribe", needs.editor, async (request, reply) => {
    const { id } = await find(request.params.id);
    const now = clock.now();
    if (await unsubscribe(db, id, now)) {
      const actor = request.operator.name;
      await writeAudit(db, { at: now, actor, action: "subscriber unsubscribe", subject: `subscriber ${id}` });
    }
    return reply.redirect(`/operator/readers/${id}?done=unsubscribe`, 303);
  });

  web.get<Params>("/operator/readers/:id/erase", needs.editor, async (request, reply) => {
    const { id, address } = await find(request.params.id);
    return show(
      request,
      reply,
      { name: "confirm", title: "Delete reader’s data", place: "readers" },
      {
        question: `Delete all data about ${address}?`,
        words:
          "This deletes everything stored about this reader. You cannot undo it. Past editions keep their totals without the address. A keyed hash of the address remains so that an old list cannot add the reader again.",
        label: "Delete reader’s data",
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
