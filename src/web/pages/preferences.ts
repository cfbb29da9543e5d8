import { formatDate } from "../../base/dates.ts";
import { choose } from "../../subscribers/signup.ts";
import { pauseReader, setTags } from "../../subscribers/preferences.ts";
import { type Fields, readFields } from "./fields.ts";
import { type FindReader, type LinkRequest, maskedAddress, readerPaths } from "./reader.ts";
import type { FastifyInstance, FastifyReply } from "fastify";
import type { App } from "../../app.ts";
import { Refusal } from "../../base/errors.ts";
import type { Subscriber } from "../../subscribers/store.ts";
import type { Catalogue, ScheduleNow } from "../tag-cache.ts";
import { allowOwnScripts } from "../security.ts";
import type { Views } from "../views.ts";
import { makeOffers } from "./offers.ts";
import { zoneName } from "./timezone.ts";

/** What was done before the page came up again, from `?saved=`. */
const outcomes = ["tags", "pause", "resume", "zone"] as const;
type Outcome = (typeof outcomes)[number];

const pauseDays: Record<string, number> = { week: 7, month: 30 };
const dayMs = 24 * 3_600_000;

/** A choice of tags that is not kept yet: of a search, or of a form with something wrong in it. */
interface Draft {
  tags: string[];
  allTags: boolean;
  query: string;
}

type Wrong = Partial<Record<"tags" | "pause", string>>;

/** `/preferences/:token`: what a reader gets, and when. The token in the address is what allows the change. */
export function addPreferencesPages(
  web: FastifyInstance,
  app: Pick<App, "options" | "clock" | "db">,
  deps: { views: Views; find: FindReader; catalogue: () => Promise<Catalogue>; schedule: ScheduleNow },
): void {
  const { db, clock, options } = app;
  const { views, find, catalogue, schedule } = deps;
  const { language, say, reason } = views.words;

  async function show(
    reply: FastifyReply,
    reader: Subscriber,
    more: { draft?: Draft; saved?: Outcome | null; wrong?: Wrong } = {},
  ): Promise<FastifyReply> {
    const { draft = { tags: reader.tags, allTags: reader.allTags, query: "" }, saved = null, wrong = {} } = more;
    const [tags, { timezone, sendAt }] = await Promise.all([catalogue(), schedule()]);
    const first = [...reader.tags, ...draft.tags];
    const paused = reader.pausedUntil !== null && reader.pausedUntil > clock.now() ? reader.pausedUntil : null;
    return views.send(allowOwnScripts(reply), "preferences", {
      title: wrong.tags === undefined && wrong.pause === undefined ? say("preferences.title") : say("form.wrong_title"),
      saved,
      wrong: { tags: null, pause: null, ...wrong },
      offers: makeOffers(tags, { first, chosen: draft.tags, query: draft.query }, language),
      resting: reader.hiddenTags,
      allTags: draft.allTags,
      status: reader.status,
      address: maskedAddress(reader),
      pausedSince: reader.pausedSince && day(reader.pausedSince, reader.timezone ?? timezone, language),
      pausedUntil: paused && day(paused, reader.timezone ?? timezone, language),
      sendAt,
      zone: zoneName(reader.timezone ?? timezone),
      paths: readerPaths(options.secret, reader),
    });
  }

  /** Does what a form asks for and shows the page again; what is wrong stands beside its field. */
  async function change(
    request: LinkRequest,
    reply: FastifyReply,
    field: keyof Wrong,
    work: (reader: Subscriber, fields: Fields) => Promise<Outcome>,
  ): Promise<FastifyReply> {
    const reader = await find(request, "preferences");
    const fields = readFields(request.body);
    try {
      const saved = await work(reader, fields);
      return reply.redirect(`${readerPaths(options.secret, reader).preferences}?saved=${saved}`, 303);
    } catch (error) {
      if (!(error instanceof Refusal) || error.status !== 422) throw error;
      const wrong = { [field]: reason(error) };
      return show(reply.code(422), reader, field === "tags" ? { wrong, draft: draftOf(fields) } : { wrong });
    }
  }

  web.get<{ Params: { token: string }; Querystring: Record<string, unknown> }>(
    "/preferences/:token",
    async (request, reply) => {
      const reader = await find(request, "preferences");
      const fields = readFields(request.query);
      const saved = outcomes.find((one) => one === fields.one("saved")) ?? null;
      return show(reply, reader, fields.has("q") ? { draft: draftOf(fields) } : { saved });
    },
  );

  web.post<{ Params: { token: string } }>("/preferences/:token", (request, reply) =>
    change(request, reply, "tags", async (reader, fields) => {
      const { tags, allTags } = draftOf(fields);
      if (tags.length === 0 && !allTags) {
        throw new Refusal(422, "nothing_chosen");
      }
      const chosen = await choose(db, { tags, allTags });
      await setTags(app, reader.id, { allTags, ...chosen });
      return "tags";
    }),
  );

  web.post<{ Params: { token: string } }>("/preferences/:token/pause", (request, reply) =>
    change(request, reply, "pause", async (reader, fields) => {
      const days = pauseDays[fields.one("for")];
      if (days === undefined && fields.one("for") !== "none") {
        throw new Refusal(422, "pause_not_chosen");
      }
      const until = days === undefined ? null : new Date(clock.now().getTime() + days * dayMs);
      await pauseReader(app, { id: reader.id, until, by: "reader" });
      return days === undefined ? "resume" : "pause";
    }),
  );
}

function draftOf(fields: Fields): Draft {
  return { tags: fields.all("tags"), allTags: fields.one("all") === "1", query: fields.one("q").slice(0, 100) };
}

function day(at: Date, timezone: string, language: string): string {
  return formatDate(at, language, { weekday: "long", day: "numeric", month: "long", timeZone: timezone });
}
