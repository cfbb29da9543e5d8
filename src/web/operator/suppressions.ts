import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { App } from "../../app.ts";
import { operatorPathOf, parseEditionName } from "../../base/edition-name.ts";
import { Refusal } from "../../base/errors.ts";
import { englishOf, englishWording, sayFailure } from "../../texts/catalogue.ts";
import { loadSchedule } from "../../schedule/store.ts";
import { suppressionReasonInWords, suppressionSourceInWords } from "../../texts/suppressions.ts";
import { areRemovable, removeSuppressions } from "../../subscribers/remove-suppressions.ts";
import {
  countSuppressions,
  findSuppression,
  type FoundSuppression,
  listSuppressions,
  otherReasons,
  readSearch,
  type SuppressionSearch,
} from "../../subscribers/suppression-search.ts";
import { isForGood, suppressionReasons, unsuppress } from "../../subscribers/suppressions.ts";
import { readFields, type Fields } from "../pages/fields.ts";
import { needs, type Show } from "./dashboard.ts";
import { number, shortMoment } from "./format.ts";

const { say } = englishWording();

const path = "/operator/suppressions";
const pageSize = 50;
const fields = ["reason", "edition", "since", "until"] as const;
const reasons = [...suppressionReasons, otherReasons];

type AppDeps = Pick<App, "config" | "options" | "clock" | "db">;

/** `/operator/suppressions`: addresses that must not be emailed, why, and how to allow them again. */
export function addSuppressionsPage(web: FastifyInstance, app: AppDeps, show: Show): void {
  const { db, options } = app;
  const place = "readers";

  web.get(path, needs.viewer, async (request, reply) => {
    const query = readFields(request.query);
    const notice = doneText(query.one("done"), Number(query.one("n")) || 0, Number(query.one("resumed")) || 0);
    return list(request, reply, query, { notice });
  });

  // A POST, because URLs end up in access logs and browser histories.
  web.post(`${path}/find`, needs.viewer, async (request, reply) => {
    const query = readFields(request.body);
    const address = query.one("address").trim();
    try {
      const found = await findSuppression(app, address);
      return await list(request, reply, query, { found, address });
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      return list(request, reply.code(error.status), query, { address, refused: sayFailure(error) });
    }
  });

  web.post(`${path}/remove`, needs.editor, async (request, reply) => {
    const query = readFields(request.body);
    try {
      await unsuppress(app, { hash: query.one("hash").slice(0, 64), actor: request.operator.name });
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      return list(request, reply.code(error.status), query, { notice: sayFailure(error) });
    }
    return reply.redirect(pathOf({ ...searchOf(query), done: "remove" }), 303);
  });

  web.get(`${path}/remove-all`, needs.editor, async (request, reply) => {
    const query = readFields(request.query);
    const { reason = "", ...search } = searchOf(query);
    try {
      const asked = { ...search, reason, dryRun: true, actor: request.operator.name };
      const { count } = await removeSuppressions(app, asked);
      if (count === 0) return await list(request, reply, query, {});
      const label = say("suppressions.remove_all", { n: count });
      return await show(
        request,
        reply,
        { name: "confirm", title: label, place },
        {
          question: `${label}?`,
          effect: say("suppressions.remove_all_effect", { reason: suppressionReasonInWords(reason) }),
          label,
          post: `${path}/remove-all`,
          back: pathOf({ ...search, reason }),
          hidden: Object.entries({ ...search, reason }).map(([name, value]) => ({ name, value })),
        },
      );
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      return list(request, reply.code(error.status), query, { notice: sayFailure(error) });
    }
  });

  web.post(`${path}/remove-all`, needs.editor, async (request, reply) => {
    const query = readFields(request.body);
    const { reason = "", ...search } = searchOf(query);
    try {
      const asked = { ...search, reason, dryRun: false, actor: request.operator.name };
      const { count, resumed } = await removeSuppressions(app, asked);
      const done = { done: "remove-all", n: String(count), resumed: String(resumed) };
      return await reply.redirect(pathOf({ ...search, reason, ...done }), 303);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      return list(request, reply.code(error.status), query, { notice: sayFailure(error) });
    }
  });

  /** @param answer.found what was found by its address, instead of a list @param answer.refused why not */
  async function list(
    request: FastifyRequest,
    reply: FastifyReply,
    query: Fields,
    answer: {
      notice?: string | null;
      found?: FoundSuppression;
      address?: string;
      refused?: string;
    },
  ): Promise<FastifyReply> {
    const { timezone } = await loadSchedule(db);
    const search = searchOf(query);
    const wanted = await readable(search);
    const { reason = "", ...period } = search;
    const filter = wanted.filter ?? (await readSearch(db, {}));
    const [page, counts] = await Promise.all([
      answer.found || answer.refused !== undefined
        ? { suppressions: answer.found ? [answer.found] : [], next: null }
        : readPage(query.one("after"), filter),
      countSuppressions(db, filter),
    ]);
    const total = counts.reduce((sum, { count }) => sum + count, 0);
    const chosen = counts.find((one) => one.reason === reason)?.count ?? 0;
    const isBound = Object.keys(period).length > 0 && wanted.filter !== null;
    const language = englishOf(app.config.language);
    return show(
      request,
      wanted.filter === null ? reply.code(wanted.status) : reply,
      { name: "suppressions", title: say("title.suppressions"), place },
      {
        notice: answer.notice ?? null,
        wrong: wanted.filter === null ? wanted.sentence : null,
        timezone,
        fields,
        search: Object.fromEntries(fields.map((name) => [name, search[name] ?? ""])),
        filtered: Object.keys(search).length > 0,
        address: answer.address ?? "",
        refused: answer.refused ?? null,
        tabs: [
          { name: say("suppressions.all"), path: pathOf(period), count: number(total), current: reason === "" },
          ...reasons.flatMap((one) => {
            const count = counts.find((counted) => counted.reason === one)?.count ?? 0;
            if (count === 0 && one !== reason) return [];
            const name = suppressionReasonInWords(one);
            return [{ name, path: pathOf({ ...period, reason: one }), count: number(count), current: one === reason }];
          }),
        ],
        removeAll:
          isBound && chosen > 0 && areRemovable(reason)
            ? {
                path: pathOf(search, "/remove-all"),
                label: say("suppressions.remove_all", { n: chosen }),
              }
            : null,
        suppressions: page.suppressions.map((one) => ({
          hash: one.hash,
          address: one.address,
          short: one.hash.slice(0, 12),
          reason: suppressionReasonInWords(isCode(one.reason) ? one.reason : otherReasons),
          words: isCode(one.reason) ? null : one.reason,
          mark: one.reason === "complaint" ? "failed" : "suppressed",
          since: shortMoment(one.createdAt, timezone, language),
          edition: one.edition && { name: one.edition, path: operatorPathOf(parseEditionName(one.edition)) },
          source: one.source && suppressionSourceInWords(one.source),
          detail: one.detail,
          removable: !isForGood(one.reason),
        })),
        more: page.next === null ? null : pathOf({ ...search, after: page.next }),
      },
    );
  }

  async function readPage(after: string, filter: Awaited<ReturnType<typeof readSearch>>) {
    try {
      return await listSuppressions(db, options.secret, { after: after.slice(0, 100), limit: pageSize }, filter);
    } catch (error) {
      // A broken link to a later page shows the first one.
      if (!(error instanceof Refusal)) throw error;
      return listSuppressions(db, options.secret, { after: "", limit: pageSize }, filter);
    }
  }

  async function readable(search: SuppressionSearch) {
    try {
      return { filter: await readSearch(db, search) };
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      return { filter: null, status: error.status, sentence: sayFailure(error) };
    }
  }
}

function isCode(reason: string): boolean {
  return suppressionReasons.some((one) => one === reason);
}

function searchOf(query: Fields): SuppressionSearch {
  const given = fields.map((name) => [name, query.one(name).trim().slice(0, 200)] as const);
  return Object.fromEntries(given.filter(([, value]) => value !== ""));
}

function pathOf(query: Record<string, string | undefined> | SuppressionSearch, below = ""): string {
  const given = Object.entries(query).filter((entry): entry is [string, string] => entry[1] !== undefined);
  const text = new URLSearchParams(given).toString();
  return `${path}${below}${text === "" ? "" : `?${text}`}`;
}

function doneText(done: string, n: number, resumed: number): string | null {
  if (done === "remove") return say("suppressions.removed");
  return done === "remove-all" ? say("suppressions.removed_all", { n, resumed }) : null;
}
