import type { FastifyInstance } from "fastify";
import type { App } from "../../app.ts";
import { listTags } from "../../articles/tag-store.ts";
import { setTags, type Subscriber } from "../../subscribers/store.ts";
import type { Views } from "../views.ts";
import { readerPaths, type FindReader } from "./reader.ts";

const recentDays = 90;
const mostOffered = 200;

interface Offer {
  id: number;
  name: string;
  chosen: boolean;
}

interface Choice {
  tagIds: number[];
  allTags: boolean;
}

/** `/preferences/:token`: the tags a reader follows. The token in the address is what allows the change. */
export function addPreferencesPages(web: FastifyInstance, app: App, deps: { views: Views; find: FindReader }): void {
  const { db, clock, options } = app;
  const { views, find } = deps;

  const page = (reader: Subscriber, offers: Offer[], fields: { allTags: boolean; saved: boolean; wrong: boolean }) => ({
    title: "Preferences",
    ...fields,
    offers,
    status: reader.status,
    paths: readerPaths(options.secret, reader),
  });

  web.get<{ Params: { token: string }; Querystring: Record<string, unknown> }>(
    "/preferences/:token",
    async (request, reply) => {
      const reader = await find(request, "preferences");
      const offers = await offersFor(app, reader, new Set(reader.tags));
      const saved = request.query["saved"] === "1";
      return views.send(reply, "preferences", page(reader, offers, { allTags: reader.allTags, saved, wrong: false }));
    },
  );

  web.post<{ Params: { token: string }; Body: unknown }>("/preferences/:token", async (request, reply) => {
    const reader = await find(request, "preferences");
    const choice = readChoice(request.body);
    const known = new Set((await listTags(db, clock.now())).map((tag) => tag.id));
    const tagIds = choice.tagIds.filter((id) => known.has(id));
    if (tagIds.length === 0 && !choice.allTags) {
      reply.code(422);
      const offers = await offersFor(app, reader, new Set());
      return views.send(reply, "preferences", page(reader, offers, { allTags: false, saved: false, wrong: true }));
    }
    await setTags(db, reader.id, { allTags: choice.allTags, tagIds });
    return reply.redirect(`${readerPaths(options.secret, reader).preferences}?saved=1`, 303);
  });
}

/** The tags in use lately, and those the reader has, whatever their use. */
async function offersFor({ db, clock }: App, reader: Subscriber, chosen: ReadonlySet<string>): Promise<Offer[]> {
  const tags = await listTags(db, new Date(clock.now().getTime() - recentDays * 24 * 3_600_000));
  const own = new Set(reader.tags);
  const recent = tags
    .filter((tag) => tag.articles > 0)
    .toSorted((a, b) => b.articles - a.articles)
    .slice(0, mostOffered);
  const offered = new Set(recent.map((tag) => tag.id));
  return tags
    .filter((tag) => offered.has(tag.id) || own.has(tag.name))
    .map(({ id, name }) => ({ id, name, chosen: chosen.has(name) }));
}

function readChoice(body: unknown): Choice {
  const { tag = [], all } = (body ?? {}) as { tag?: unknown; all?: unknown };
  const tagIds = [tag].flat().flatMap((raw) => (typeof raw === "string" && /^\d{1,9}$/.test(raw) ? [Number(raw)] : []));
  return { tagIds: [...new Set(tagIds)], allTags: all === "1" };
}
