import { Readable } from "node:stream";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { App } from "../../app.ts";
import { Refusal } from "../../base/errors.ts";
import { countByDomain, findDeliveries, listDeliveries, type DeliverySearch } from "../../deliveries/search.ts";
import { actOnEdition } from "../../editions/act.ts";
import { editionActions, type DeliveryState, type EditionAction } from "../../editions/state.ts";
import { getEdition } from "../../editions/store.ts";
import { editionName, parseEditionName } from "../../editions/name.ts";
import { frozenArticles } from "../../editions/frozen-articles.ts";
import { editionStatus, type EditionStatus } from "../../ops/status.ts";
import { longDate } from "../../render/dates.ts";
import { httpUrl } from "../../render/plain.ts";
import { deliveriesCsv } from "../api/deliveries.ts";
import { readFields, type Fields } from "../pages/fields.ts";
import { inEnglishOf } from "../language/words.ts";
import { barOf } from "./bar.ts";
import { needs, type Show } from "./desk.ts";
import { domainRows } from "./domains.ts";
import { actedInWords, offeredActs } from "./edition-acts.ts";
import { shownDomains } from "./progress.ts";
import { streamOf } from "./shown.ts";
import { count, moment, number, shortMoment } from "./words.ts";

const states = ["sent", "rejected", "expired", "unknown", "skipped", "deferred", "pending", "sending"] as const;
const pageSize = 20;

interface Params {
  name: string;
}

/** `/operator/editions/:name`: one edition, its balance, deliveries and articles, and what can be done to it. */
export function addEditionDesk(web: FastifyInstance, app: App, show: Show): void {
  const { db, config } = app;
  const language = inEnglishOf(config.language);

  const find = async (raw: string): Promise<EditionStatus> => {
    const { date, number: n } = parseEditionName(raw);
    return editionStatus(db, await getEdition(db, date, n));
  };

  web.get<{ Params: Params }>("/operator/editions/:name", needs.viewer, async (request, reply) => {
    const edition = await find(request.params.name);
    const done = readFields(request.query);
    const action = editionActions.find((one) => one === done.one("done"));
    const notice = action
      ? done.has("already")
        ? "That had been done already."
        : actedInWords(action, Number(done.one("n")) || 0)
      : null;
    return showEdition(request, reply, edition, done.one("done") === "send" ? sentWords(done.has("already")) : notice);
  });

  web.get<{ Params: Params }>("/operator/editions/:name/deliveries.csv", needs.editor, async (request, reply) => {
    const edition = await find(request.params.name);
    return reply
      .type("text/csv; charset=utf-8")
      .header("content-disposition", `attachment; filename="deliveries-${editionName(edition)}.csv"`)
      .send(Readable.from(deliveriesCsv(findDeliveries(db, edition.id, searchOf(readFields(request.query))))));
  });

  for (const action of editionActions) {
    const path = `/operator/editions/:name/${action}`;

    web.get<{ Params: Params }>(path, needs.editor, async (request, reply) => {
      const edition = await find(request.params.name);
      const offered = offeredActs(edition).find((one) => one.action === action);
      // Somebody else was quicker, or there is nothing left to do: the page says how things are now.
      if (!offered) return showEdition(request, reply, edition, `The edition is ${edition.state} now.`);
      return show(
        request,
        reply,
        { name: "confirm", title: offered.label, place: "editions" },
        {
          question: `${offered.label}?`,
          words: offered.words,
          label: offered.label,
          post: `${pathOf(edition)}/${action}`,
          back: pathOf(edition),
          hidden: [],
        },
      );
    });

    web.post<{ Params: Params }>(path, needs.editor, async (request, reply) => act(request, reply, action));
  }

  async function act(
    request: FastifyRequest<{ Params: Params }>,
    reply: FastifyReply,
    action: EditionAction,
  ): Promise<FastifyReply> {
    const name = parseEditionName(request.params.name);
    try {
      const acted = await actOnEdition(app, { ...name, action, actor: request.operator.name });
      if (acted.changed && acted.edition.state === "sending")
        await app.wake("fan-out", { editionId: acted.edition.id });
      const again = action === "retry" || action === "resend-unknown" || action === "unsuppress";
      const query = `done=${action}${acted.changed || again ? "" : "&already=1"}&n=${acted.affected}`;
      return reply.redirect(`${pathOf(acted.edition)}?${query}`, 303);
    } catch (error) {
      if (!(error instanceof Refusal) || error.status !== 409) throw error;
      return showEdition(request, reply.code(409), await find(request.params.name), error.message);
    }
  }

  async function showEdition(
    request: FastifyRequest,
    reply: FastifyReply,
    edition: EditionStatus,
    notice: string | null,
  ): Promise<FastifyReply> {
    const query = readFields(request.method === "GET" ? request.query : {});
    const search = searchOf(query);
    const zone = edition.timezone;
    const after = /^\d{1,15}$/.test(query.one("after")) ? Number(query.one("after")) : 0;
    const deliveries = await listDeliveries(db, edition.id, { ...search, after, limit: pageSize + 1 });
    const page = deliveries.slice(0, pageSize);
    const more = deliveries.length > pageSize ? page.at(-1)!.id : null;
    const articles = await frozenArticles(db, edition.id);
    const moments = [
      ["Due", edition.due_at],
      ["Frozen", edition.frozen_at],
      ["Sending since", edition.sending_at],
      ["Closed", edition.closed_at],
    ] as const;
    return show(
      request,
      reply,
      { name: "edition", title: editionName(edition), place: "editions" },
      {
        stream: streamOf([edition], edition.id),
        // Without what was done, for that has been said by then.
        self: `${pathOf(edition)}?${searchQuery(search, after)}`,
        edition: {
          id: edition.id,
          name: editionName(edition),
          path: pathOf(edition),
          date: longDate(edition.date, language),
          extra: edition.number === 1 ? null : `Extra edition ${edition.number}`,
          state: edition.state,
          reason: edition.reason,
          sentence: edition.sentence,
          unmatched: edition.unmatched === 0 ? null : count(edition.unmatched, "reader"),
          moments: moments.flatMap(([label, at]) => (at ? [{ label, ...moment(at, zone, language) }] : [])),
          timezone: zone,
          bar: edition.selected > 0 ? barOf(edition.balance) : null,
          acts: offeredActs(edition),
        },
        domains: domainRows(await countByDomain(db, edition.id, shownDomains)),
        notice,
        articles: articles.map((one) => ({ ...one, url: httpUrl(one.url), origin: one.origin?.name ?? null })),
        search: {
          domain: search.domain ?? "",
          reply: search.reply ?? "",
          searched: Object.keys(search).length > 0,
          states: states.map((one) => ({
            name: one,
            count: number(edition.balance[one]),
            chosen: one === search.state,
          })),
          more: more === null ? null : `${pathOf(edition)}?${searchQuery(search, more)}#deliveries`,
          csv: `${pathOf(edition)}/deliveries.csv?${searchQuery(search)}`,
        },
        deliveries: page.map((one) => ({
          state: one.state satisfies DeliveryState,
          address: one.address ?? "an erased reader",
          why: one.subscriberId === null ? null : `/operator/readers/${one.subscriberId}?date=${edition.date}#why`,
          articles: count(one.articles, "article"),
          reply: one.reply,
          at: one.settledAt ? shortMoment(one.settledAt, zone, language) : null,
          due: one.dueAt ? shortMoment(one.dueAt, zone, language) : null,
          attempts: one.attempts,
        })),
      },
    );
  }
}

/** What of the ledger the fields ask for; an empty field restricts nothing. */
function searchOf(fields: Fields): DeliverySearch {
  const state = states.find((one) => one === fields.one("state"));
  const [domain, reply] = [fields.one("domain").trim().slice(0, 255), fields.one("reply").trim().slice(0, 200)];
  return { ...(state ? { state } : {}), ...(domain === "" ? {} : { domain }), ...(reply === "" ? {} : { reply }) };
}

function searchQuery({ state, domain, reply }: DeliverySearch, after?: number): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries({ state, domain, reply, after: after || undefined })) {
    if (value !== undefined) query.set(name, String(value));
  }
  return query.toString();
}

function pathOf(edition: { date: string; number: number }): string {
  return `/operator/editions/${editionName(edition)}`;
}

function sentWords(already: boolean): string {
  return already ? "It had been sent already: this is today’s edition." : "Today’s edition is being sent.";
}
