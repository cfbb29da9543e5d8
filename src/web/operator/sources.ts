import { sayReadError } from "../../texts/problems.ts";
import {
  getSource,
  listSources,
  optionsOf,
  unhealthyAfter,
  type Source,
  type SourceOptions,
} from "../../sources/store.ts";
import { sayReason, englishWording, englishOf, sayFailure } from "../../texts/catalogue.ts";
import { addSource, changeSource, checkSource, removeSource, type SourceChange } from "../../sources/manage-sources.ts";
import { shownUrl, feedAddress } from "../../sources/address.ts";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { App } from "../../app.ts";
import { Refusal } from "../../base/errors.ts";
import type { PollResult } from "../../sources/poll.ts";
import { loadSchedule } from "../../schedule/store.ts";
import { type Fields, readFields } from "../pages/fields.ts";
import { englishZones, readZone } from "../pages/timezone.ts";
import { needs, type Show } from "./dashboard.ts";
import { shortMoment, span } from "./format.ts";

type AppDeps = Pick<App, "config" | "clock" | "log" | "trace" | "db" | "fetch" | "parse">;

const { say } = englishWording();

const path = "/operator/sources";
const shownProblems = 5;

interface Answer {
  notice?: string;
  /** What is wrong with the form. */
  wrong?: string;
  problems?: string[];
  /** The form's input, after a refusal. */
  typed?: Typed;
}

/** The fields of a source that can be changed, as typed. */
interface TypedOptions {
  timezone: string;
  splitTags: boolean;
}

interface Typed extends TypedOptions {
  url: string;
  tags: string;
}

const nothingTyped: Typed = { url: "", tags: "", timezone: "", splitTags: false };

/** `/operator/sources`: the sources and their health. A check shows its result. */
export function addSourcesPage(web: FastifyInstance, app: AppDeps, show: Show): void {
  const { db, clock } = app;

  web.get(path, needs.viewer, async (request, reply) => {
    const removed = readFields(request.query).has("removed");
    return list(request, reply, removed ? { notice: say("source.removed") } : undefined);
  });

  web.post(path, needs.editor, async (request, reply) => {
    const fields = readFields(request.body);
    const typed = { url: fields.one("url").trim(), tags: fields.one("tags"), ...readOptions(fields) };
    try {
      const tags = typed.tags.split(",").filter((tag) => tag.trim() !== "");
      const added = await addSource(app, {
        url: feedAddress(typed.url),
        tags,
        rename: {},
        ...toOptions(typed),
        actor: request.operator.name,
      });
      return list(request, reply, pollText(nameOf(added.source), added.poll));
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      return list(request, reply.code(error.status), { wrong: sayFailure(error), typed });
    }
  });

  web.post<{ Params: { id: string } }>(`${path}/:id/check`, needs.editor, async (request, reply) => {
    const source = await find(request.params.id);
    return list(request, reply, pollText(nameOf(source), await checkSource(app, source, request.operator.name)));
  });

  web.get<{ Params: { id: string } }>(`${path}/:id/edit`, needs.editor, async (request, reply) => {
    const source = await find(request.params.id);
    const { timezone, ...options } = optionsOf(source);
    return edit(request, reply, source, { ...options, timezone: timezone ?? "" });
  });

  web.post<{ Params: { id: string } }>(`${path}/:id/edit`, needs.editor, async (request, reply) => {
    const source = await find(request.params.id);
    const typed = readOptions(readFields(request.body));
    try {
      const wanted = toOptions(typed);
      const change = await changeSource(app, { source, actor: request.operator.name, ...wanted });
      return await list(request, reply, changeText(nameOf(source), change));
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      return edit(request, reply.code(error.status), source, typed, sayFailure(error));
    }
  });

  web.get<{ Params: { id: string } }>(`${path}/:id/remove`, needs.editor, async (request, reply) => {
    const source = await find(request.params.id);
    const name = nameOf(source);
    return show(
      request,
      reply,
      { name: "confirm", title: say("source.remove"), place: "sources" },
      {
        question: say("source.remove_question", { source: name }),
        effect: say("source.remove_effect"),
        label: say("source.remove"),
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

  async function list(request: FastifyRequest, reply: FastifyReply, answer?: Answer): Promise<FastifyReply> {
    const { timezone } = await loadSchedule(db);
    const shown = { now: clock.now(), timezone, language: englishOf(app.config.language) };
    return show(
      request,
      reply,
      { name: "sources", title: say("title.sources"), place: "sources" },
      {
        notice: answer?.notice ?? null,
        wrong: answer?.wrong ?? null,
        problems: answer?.problems ?? [],
        typed: answer?.typed ?? nothingTyped,
        zones: englishZones,
        publicationZone: timezone,
        sources: (await listSources(db)).map((source) => showSourceRow(source, shown)),
      },
    );
  }

  /** The form for how a source is read. @param wrong what is wrong with the form's input */
  async function edit(
    request: FastifyRequest,
    reply: FastifyReply,
    source: Source,
    typed: TypedOptions,
    wrong: string | null = null,
  ): Promise<FastifyReply> {
    if (source.url === null) throw new Refusal(409, "source_not_a_feed", { id: source.id });
    const { timezone } = await loadSchedule(db);
    return show(
      request,
      reply,
      { name: "source-edit", title: say("source.edit"), place: "sources" },
      {
        source: { name: nameOf(source), path: `${path}/${source.id}/edit` },
        typed,
        wrong,
        zones: englishZones,
        publicationZone: timezone,
        back: path,
      },
    );
  }

  async function find(raw: string): Promise<Source> {
    if (!/^[1-9]\d{0,8}$/.test(raw)) throw new Refusal(404, "source_page_not_found");
    return getSource(db, Number(raw));
  }
}

function readOptions(fields: Fields): TypedOptions {
  return { timezone: fields.one("timezone").trim().slice(0, 100), splitTags: fields.has("splitTags") };
}

/** @throws Refusal 422 for a time zone that does not exist */
function toOptions({ timezone, splitTags }: TypedOptions): SourceOptions {
  return { timezone: readZone(timezone), splitTags };
}

function nameOf({ title, url, id }: Source): string {
  return title ?? (url === null ? say("source.name", { id }) : shownUrl(url));
}

function changeText(name: string, { changed, poll }: SourceChange): { notice: string; problems?: string[] } {
  if (poll !== null) return pollText(name, poll);
  return { notice: say(changed ? "source.saved" : "source.same", { source: name }) };
}

function pollText(name: string, poll: PollResult): { notice: string; problems?: string[] } {
  switch (poll.kind) {
    case "failed":
      return { notice: say("source.poll_failed", { source: name, error: sayReadError(poll.reason) }) };
    case "unchanged":
      return { notice: say("source.poll_unchanged", { source: name }) };
    case "left":
      return { notice: say("source.poll_busy", { source: name }) };
    case "ingested": {
      const of = (outcome: string): number => poll.outcomes.filter((one) => one.outcome === outcome).length;
      const counts = { added: of("added"), updated: of("updated"), unchanged: of("unchanged") };
      const n = poll.problems.length;
      return {
        notice:
          say("source.poll_done", { source: name, ...counts }) +
          (n === 0 ? "" : ` ${say("source.poll_problems", { n })}`),
        problems: poll.problems.slice(0, shownProblems).map((problem) => sayReason(problem)),
      };
    }
  }
}

/** A source in lists. */
export function showSourceRow(
  source: Source,
  { now, timezone, language }: { now: Date; timezone: string; language: string },
): {
  id: number;
  feed: boolean;
  name: string;
  url: string | null;
  health: "well" | "failing" | "unread" | "api";
  healthNote: string;
  tags: string[];
} & SourceOptions {
  const url = source.url === null ? null : shownUrl(source.url);
  return {
    id: source.id,
    feed: source.kind === "feed",
    name: source.title ?? url ?? say("source.name", { id: source.id }),
    url,
    ...healthOf(),
    tags: source.extra_tags,
    ...optionsOf(source),
  };

  function healthOf(): { health: "well" | "failing" | "unread" | "api"; healthNote: string } {
    if (source.kind === "api") return { health: "api", healthNote: say("source.receives_api") };
    if (source.failures > 0) {
      const since =
        source.succeeded_at === null
          ? say("source.never_read")
          : say("source.last_read", { time: shortMoment(source.succeeded_at, timezone, language) });
      const error = source.read_error === null ? say("source.failed_unknown") : sayReadError(source.read_error);
      const health = source.failures >= unhealthyAfter ? "failing" : "well";
      return { health, healthNote: `${say("source.failed", { n: source.failures, error })} ${since}` };
    }
    if (source.succeeded_at === null) return { health: "unread", healthNote: say("source.not_read_yet") };
    const read = say("source.read_ago", { span: span(now.getTime() - source.succeeded_at.getTime()) });
    const healthNote = [read, ...source.problems.map((problem) => sayReason(problem))].join(" ");
    return { health: "well", healthNote };
  }
}
