import { balanceInWords, outcomeInWords } from "../../texts/deliveries.ts";
import { outcomesInShort, outcomesInWords } from "../../texts/outcomes.ts";
import { countOutcomesOf } from "../../outcomes/store.ts";
import { englishOf, sayFailure, englishWording } from "../../texts/catalogue.ts";
import { offeredActs, possibleActs, actedText } from "./edition-acts.ts";
import type { DeliveryState } from "../../ledger/state.ts";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { App } from "../../app.ts";
import { editionReason } from "../../texts/editions.ts";
import { listEditions, getEdition } from "../../editions/store.ts";
import { operatorPathOf, editionName, parseEditionName } from "../../base/edition-name.ts";
import { longDate, httpUrl } from "../../render/plain.ts";
import { needs, type Show } from "./dashboard.ts";
import { Refusal } from "../../base/errors.ts";
import { actOnEdition } from "../../editions/operator-actions.ts";
import { editionActions, isActive, type EditionAction } from "../../editions/state.ts";
import { editionStatus, type EditionStatus } from "../../alerts/status.ts";
import { sendDeliveries } from "../api/deliveries.ts";
import { readFields, type Fields } from "../pages/fields.ts";
import { listDeliveries, tallyEditions, type DeliverySearch } from "../../deliveries/search.ts";
import { recipientsOf } from "../../deliveries/warm-up.ts";
import { frozenArticles } from "../../editions/frozen-articles.ts";
import { editionWarmUpInWords } from "../../texts/warm-up.ts";
import {
  barOf,
  domainRows,
  noTrouble,
  notesRelay,
  providerRows,
  sendingNotes,
  shownDomains,
  troubleNow,
} from "./progress.ts";
import { editionRates } from "../../outcomes/rates.ts";
import { streamOf } from "./live.ts";
import { moment, number, shortMoment } from "./format.ts";

type AppDeps = Pick<App, "config" | "options" | "clock" | "db" | "wake" | "transport">;

const { say } = englishWording();

const listed = 100;

/** `/operator/editions`: the most recent editions in any state. */
export function addEditionList(web: FastifyInstance, app: Pick<App, "config" | "db">, show: Show): void {
  web.get("/operator/editions", needs.viewer, async (request, reply) => {
    const language = englishOf(app.config.language);
    const found = await listEditions(app.db, listed);
    const outcomes = await countOutcomesOf(
      app.db,
      found.map(({ id }) => id),
    );
    const editions = found.map((edition) => ({
      path: operatorPathOf(edition),
      date: longDate(edition.date, language),
      extra: edition.number === 1 ? null : say("edition.extra", { n: edition.number }),
      state: edition.state,
      summary:
        edition.frozen_at === null
          ? (editionReason(edition) ?? "")
          : say("edition.for_readers", {
              articles: edition.articles,
              readers: recipientsOf(edition.selected, edition.warm_up),
            }),
      outcomes: outcomesInShort(
        editionRates(outcomes.get(edition.id)!, recipientsOf(edition.selected, edition.warm_up)),
      ),
    }));
    return show(request, reply, { name: "editions", title: say("editions.title"), place: "editions" }, { editions });
  });
}

interface Params {
  name: string;
}

/** `/operator/editions/:name`: one edition with its balance, deliveries, articles and actions. */
export function addEditionPage(web: FastifyInstance, app: AppDeps, show: Show): void {
  const { db, config } = app;
  const language = englishOf(config.language);

  const find = async (raw: string): Promise<EditionStatus> => {
    const { date, number: n } = parseEditionName(raw);
    return editionStatus(db, await getEdition(db, date, n));
  };

  web.get<{ Params: Params }>("/operator/editions/:name", needs.viewer, async (request, reply) => {
    const edition = await find(request.params.name);
    const done = readFields(request.query);
    const action = editionActions.find((one) => one === done.one("done"));
    const already = done.has("already");
    const notice = action ? (already ? say("acted.already") : actedText(action, Number(done.one("n")) || 0)) : null;
    const sent = say(already ? "acted.already_sent" : "acted.send");
    return showEdition(request, reply, edition, done.one("done") === "send" ? sent : notice);
  });

  // A POST, because the reply text may be an address, and URLs end up in access logs and browser histories.
  web.post<{ Params: Params }>("/operator/editions/:name/deliveries", needs.viewer, async (request, reply) =>
    showEdition(request, reply, await find(request.params.name), null, readFields(request.body)),
  );

  web.post<{ Params: Params }>("/operator/editions/:name/deliveries.csv", needs.editor, async (request, reply) => {
    const edition = await find(request.params.name);
    return sendDeliveries(reply, db, edition, searchOf(readFields(request.body)));
  });

  for (const action of editionActions) {
    const path = `/operator/editions/:name/${action}`;

    web.get<{ Params: Params }>(path, needs.editor, async (request, reply) => {
      const edition = await find(request.params.name);
      const offered = offeredActs(edition).find((one) => one.action === action);
      // Another operator acted first, or nothing is left to do. Show the present state.
      if (!offered) return showEdition(request, reply, edition, say("acted.not_available", { state: edition.state }));
      return show(
        request,
        reply,
        { name: "confirm", title: offered.label, place: "editions" },
        {
          question: `${offered.label}?`,
          effect: offered.effect,
          label: offered.label,
          post: `${operatorPathOf(edition)}/${action}`,
          back: operatorPathOf(edition),
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
      const again = action === "retry" || action === "resend-unknown" || action === "unsuppress";
      const query = `done=${action}${acted.changed || again ? "" : "&already=1"}&n=${acted.affected}`;
      return reply.redirect(`${operatorPathOf(acted.edition)}?${query}`, 303);
    } catch (error) {
      if (!(error instanceof Refusal) || error.status !== 409) throw error;
      return showEdition(request, reply.code(409), await find(request.params.name), sayFailure(error));
    }
  }

  async function showEdition(
    request: FastifyRequest,
    reply: FastifyReply,
    edition: EditionStatus,
    notice: string | null,
    posted?: Fields,
  ): Promise<FastifyReply> {
    const fields = posted ?? readFields(request.method === "GET" ? request.query : {});
    const search = posted ? searchOf(posted) : filterOf(fields);
    const after = /^\d{1,15}$/.test(fields.one("after")) ? Number(fields.one("after")) : 0;
    const page = { name: "edition", title: editionName(edition), place: "editions" } as const;
    return show(request, reply, page, { notice, ...(await editionPage(app, edition, { ...search, after }, language)) });
  }
}

const states = ["sent", "rejected", "expired", "unknown", "skipped", "deferred", "pending", "sending"] as const;
const pageSize = 20;

/**
 * The values for `edition.liquid`: one edition, its balance, its articles and a page of its deliveries.
 * @param search the delivery filter, and in `after` the last delivery of the previous page
 * @param language BCP 47 tag, for dates
 */
async function editionPage(
  { db, clock, transport, options }: Pick<App, "db" | "clock" | "transport" | "options">,
  { ...edition }: EditionStatus,
  { after, ...search }: DeliverySearch & { after: number },
  language: string,
): Promise<Record<string, unknown>> {
  const zone = edition.timezone;
  const path = operatorPathOf(edition);
  const deliveries = await listDeliveries(db, edition.id, { ...search, after, limit: pageSize + 1 });
  const page = deliveries.slice(0, pageSize);
  const more = deliveries.length > pageSize ? page.at(-1)!.id : null;
  const articles = await frozenArticles(db, edition.id);
  const tally = (await tallyEditions(db, [edition], shownDomains)).get(edition.id)!;
  // All figures on the page are of the same moment.
  edition.balance = tally.balance;
  edition.retryable = tally.retryable;
  const trouble = isActive(edition.state)
    ? await troubleNow({ db, clock, transport, options }, zone)
    : noTrouble(clock);
  const active = isActive(edition.state);
  const moments = [
    ["edition.due", edition.due_at],
    ["edition.frozen", edition.frozen_at],
    ["edition.sending_started", edition.sending_at],
    ["edition.closed", edition.closed_at],
  ] as const;
  return {
    stream: streamOf([edition], edition.id),
    // Omits `done`, so that a refresh does not repeat the notice.
    self: search.reply === undefined ? `${path}?${filterQuery(search, after)}` : null,
    edition: {
      id: edition.id,
      name: editionName(edition),
      path,
      date: longDate(edition.date, language),
      extra: edition.number === 1 ? null : say("edition.extra", { n: edition.number }),
      state: edition.state,
      reason: editionReason(edition),
      warmUp: editionWarmUpInWords(edition.warm_up),
      sentence: balanceInWords(edition.balance),
      outcomes: outcomesInWords(
        edition.outcomes,
        editionRates(edition.outcomes, edition.balance.sent),
        edition.balance.sent,
      ),
      suppressed: edition.suppressed > 0,
      unmatched: edition.unmatched === 0 ? null : say("count.readers", { n: edition.unmatched }),
      moments: moments.flatMap(([key, at]) => (at ? [{ label: say(key), ...moment(at, zone, language) }] : [])),
      timezone: zone,
      published: edition.sending_at !== null,
      bar: edition.selected > 0 ? barOf(edition.balance) : null,
      notes: sendingNotes(edition, tally, trouble),
      relay: notesRelay(edition, trouble),
      active,
      acts: possibleActs(edition),
      removed: edition.final_counts === null ? null : say("edition.deliveries_removed"),
    },
    domains: domainRows(tally.domains),
    providers: providerRows(trouble),
    articles: articles.map((one) => ({ ...one, url: httpUrl(one.url), origin: one.origin?.name ?? null })),
    searchFields: ["state", "domain", "reply", "after"],
    search: {
      domain: search.domain ?? "",
      reply: search.reply ?? "",
      searched: Object.keys(search).length > 0,
      state: search.state ?? "",
      after,
      states: states.map((one) => ({
        name: one,
        // The counts of an edition that is being sent would be outdated at once.
        count: active ? null : number(edition.balance[one]),
        chosen: one === search.state,
      })),
      more,
    },
    deliveries: page.map((one) => ({
      state: one.state satisfies DeliveryState,
      address: one.address ?? say("edition.reader_deleted"),
      why: one.subscriberId === null ? null : `/operator/readers/${one.subscriberId}?date=${edition.date}#why`,
      articles: say("edition.articles", { n: one.articles }),
      reply: outcomeInWords(one),
      at: one.settledAt ? shortMoment(one.settledAt, zone, language) : null,
      due: one.dueAt ? shortMoment(one.dueAt, zone, language) : null,
      attempts: one.attempts,
    })),
  };
}

/** The delivery filter of a form. Empty fields do not filter. */
function searchOf(fields: Fields): DeliverySearch {
  const reply = fields.one("reply").trim().slice(0, 200);
  return { ...filterOf(fields), ...(reply === "" ? {} : { reply }) };
}

/** The same for a URL, without the reply text, because it may contain an address. */
function filterOf(fields: Fields): DeliverySearch {
  const state = states.find((one) => one === fields.one("state"));
  const domain = fields.one("domain").trim().slice(0, 255);
  return { ...(state ? { state } : {}), ...(domain === "" ? {} : { domain }) };
}

function filterQuery({ state, domain }: DeliverySearch, after: number): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries({ state, domain, after: after || undefined })) {
    if (value !== undefined) query.set(name, String(value));
  }
  return query.toString();
}
