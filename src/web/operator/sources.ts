import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { App } from "../../app.ts";
import { echo, Refusal } from "../../base/errors.ts";
import { maskUrl } from "../../config/mask.ts";
import { addSource } from "../../sources/add.ts";
import { shownUrl } from "../../sources/address.ts";
import { checkSource } from "../../sources/check.ts";
import type { PollResult } from "../../sources/poll.ts";
import { removeSource } from "../../sources/remove.ts";
import { getSource, listSources, type Source } from "../../sources/store.ts";
import { loadSchedule } from "../../schedule/store.ts";
import { readFields } from "../pages/fields.ts";
import { englishOf } from "../../wording/catalogue.ts";
import { needs, type Show } from "./desk.ts";
import { showSourceRow } from "./source-row.ts";
import { count } from "./format.ts";

const path = "/operator/sources";
const shownProblems = 5;

interface Told {
  notice: string;
  problems?: string[];
  /** The form's input, after a refusal. */
  typed?: { url: string; tags: string };
}

/** `/operator/sources`: the sources and their health. A check shows its result. */
export function addSourcesPage(web: FastifyInstance, app: App, show: Show): void {
  const { db, clock } = app;

  web.get(path, needs.viewer, async (request, reply) => {
    const removed = readFields(request.query).has("removed");
    return list(request, reply, removed ? { notice: "Source removed. Its articles are kept." } : undefined);
  });

  web.post(path, needs.editor, async (request, reply) => {
    const fields = readFields(request.body);
    const typed = { url: fields.one("url").trim(), tags: fields.one("tags") };
    try {
      const tags = typed.tags.split(",").filter((tag) => tag.trim() !== "");
      const added = await addSource(app, {
        url: feedAddress(typed.url),
        tags,
        rename: {},
        actor: request.operator.name,
      });
      return list(request, reply, { ...pollWords(nameOf(added.source), added.poll) });
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      return list(request, reply.code(error.status), { notice: error.message, typed });
    }
  });

  web.post<{ Params: { id: string } }>(`${path}/:id/check`, needs.editor, async (request, reply) => {
    const source = await find(request.params.id);
    return list(request, reply, pollWords(nameOf(source), await checkSource(app, source, request.operator.name)));
  });

  web.get<{ Params: { id: string } }>(`${path}/:id/remove`, needs.editor, async (request, reply) => {
    const source = await find(request.params.id);
    const name = nameOf(source);
    return show(
      request,
      reply,
      { name: "confirm", title: "Remove source", place: "sources" },
      {
        question: `Remove ${name}?`,
        words: "Dayletter stops reading this source. Its articles are kept, and those that are waiting are still sent.",
        label: "Remove source",
        post: `${path}/${source.id}/remove`,
        back: path,
        hidden: [],
      },
    );
  });

  web.post<{ Params: { id: string } }>(`${path}/:id/remove`, needs.editor, async (request, reply) => {
    await removeSource(app, await find(request.params.id), request.operator.name);
    return reply.redirect(`${path}?removed=1`, 303);
  });

  async function list(request: FastifyRequest, reply: FastifyReply, told?: Told): Promise<FastifyReply> {
    const { timezone } = await loadSchedule(db);
    const shown = { now: clock.now(), timezone, language: englishOf(app.config.language) };
    return show(
      request,
      reply,
      { name: "sources", title: "Sources", place: "sources" },
      {
        notice: told?.notice ?? null,
        problems: told?.problems ?? [],
        typed: told?.typed ?? { url: "", tags: "" },
        sources: (await listSources(db)).map((source) => showSourceRow(source, shown)),
      },
    );
  }

  async function find(raw: string): Promise<Source> {
    if (!/^[1-9]\d{0,8}$/.test(raw)) throw new Refusal(404, "source_page_not_found");
    return getSource(db, Number(raw));
  }
}

function nameOf({ title, url, id }: Source): string {
  return title ?? (url === null ? `Source ${id}` : shownUrl(url));
}

/** @throws Refusal 422 */
export function feedAddress(url: string): string {
  if (URL.canParse(url) && /^https?:$/.test(new URL(url).protocol)) return url;
  throw new Refusal(422, "feed_address_invalid", { url: echo(maskUrl(url)) });
}

function pollWords(name: string, poll: PollResult): { notice: string; problems?: string[] } {
  switch (poll.kind) {
    case "failed":
      return { notice: `${name} cannot be read: ${poll.reason}` };
    case "unchanged":
      return { notice: `${name} was checked. Nothing has changed since the last check.` };
    case "left":
      return { notice: `${name} is already being checked. Reload this page in a minute.` };
    case "ingested": {
      const of = (outcome: string): number => poll.outcomes.filter((one) => one.outcome === outcome).length;
      const words = `${count(of("added"), "new article")}, ${of("updated")} updated, ${of("unchanged")} unchanged`;
      const refused = poll.problems.length === 0 ? "" : `, ${count(poll.problems.length, "item")} rejected:`;
      return {
        notice: `${name} was checked: ${words}${refused}${refused === "" ? "." : ""}`,
        problems: poll.problems.slice(0, shownProblems),
      };
    }
  }
}
