import { countByDomain, listDeliveries, type DeliverySearch } from "../../deliveries/search.ts";
import type { Db } from "../../db/schema.ts";
import { frozenArticles } from "../../editions/frozen-articles.ts";
import { operatorPathOf, editionName } from "../../base/edition-name.ts";
import { editionReason } from "../../editions/reason.ts";
import type { DeliveryState } from "../../editions/state.ts";
import type { EditionStatus } from "../../operations/status.ts";
import { longDate } from "../../render/dates.ts";
import { httpUrl } from "../../render/plain.ts";
import type { Fields } from "../pages/fields.ts";
import { barOf } from "./bar.ts";
import { domainRows } from "./domains.ts";
import { offeredActs } from "./edition-acts.ts";
import { shownDomains } from "./progress.ts";
import { streamOf } from "./shown.ts";
import { count, moment, number, shortMoment } from "./format.ts";

const states = ["sent", "rejected", "expired", "unknown", "skipped", "deferred", "pending", "sending"] as const;
const pageSize = 20;

/**
 * The values for `edition.liquid`: one edition, its balance, its articles and a page of its deliveries.
 * @param search the delivery filter, and in `after` the last delivery of the previous page
 * @param language BCP 47 tag, for dates
 */
export async function editionPage(
  db: Db,
  edition: EditionStatus,
  { after, ...search }: DeliverySearch & { after: number },
  language: string,
): Promise<Record<string, unknown>> {
  const zone = edition.timezone;
  const path = operatorPathOf(edition);
  const deliveries = await listDeliveries(db, edition.id, { ...search, after, limit: pageSize + 1 });
  const page = deliveries.slice(0, pageSize);
  const more = deliveries.length > pageSize ? page.at(-1)!.id : null;
  const articles = await frozenArticles(db, edition.id);
  const moments = [
    ["Due", edition.due_at],
    ["Frozen", edition.frozen_at],
    ["Sending started", edition.sending_at],
    ["Closed", edition.closed_at],
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
      extra: edition.number === 1 ? null : `Extra edition ${edition.number}`,
      state: edition.state,
      reason: editionReason(edition),
      sentence: edition.sentence,
      unmatched: edition.unmatched === 0 ? null : count(edition.unmatched, "reader"),
      moments: moments.flatMap(([label, at]) => (at ? [{ label, ...moment(at, zone, language) }] : [])),
      timezone: zone,
      bar: edition.selected > 0 ? barOf(edition.balance) : null,
      acts: offeredActs(edition),
    },
    domains: domainRows(await countByDomain(db, edition.id, shownDomains)),
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
        count: number(edition.balance[one]),
        chosen: one === search.state,
      })),
      more,
    },
    deliveries: page.map((one) => ({
      state: one.state satisfies DeliveryState,
      address: one.address ?? "Deleted reader",
      why: one.subscriberId === null ? null : `/operator/readers/${one.subscriberId}?date=${edition.date}#why`,
      articles: count(one.articles, "article"),
      reply: one.reply,
      at: one.settledAt ? shortMoment(one.settledAt, zone, language) : null,
      due: one.dueAt ? shortMoment(one.dueAt, zone, language) : null,
      attempts: one.attempts,
    })),
  };
}

/** The delivery filter of a form. Empty fields do not filter. */
export function searchOf(fields: Fields): DeliverySearch {
  const reply = fields.one("reply").trim().slice(0, 200);
  return { ...filterOf(fields), ...(reply === "" ? {} : { reply }) };
}

/** The same for a URL, without the reply text, because it may contain an address. */
export function filterOf(fields: Fields): DeliverySearch {
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
