import { randomBytes } from "node:crypto";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { App } from "../../app.ts";
import { Refusal } from "../../base/errors.ts";
import { comingEdition } from "../../editions/coming.ts";
import { mailEdition } from "../../editions/mail-edition.ts";
import { printSample, type SampleCopy } from "../../editions/sample.ts";
import { sampleOfArticles } from "../../editions/sample-stencils.ts";
import { changeSchedule } from "../../editions/change-schedule.ts";
import { parseSendAt, parseSendDays, parseTimezone } from "../../base/schedule-values.ts";
import { loadSchedule } from "../../schedule/store.ts";
import { addSource } from "../../sources/add.ts";
import { shownUrl } from "../../sources/address.ts";
import { problemText } from "../../sources/parse-document.ts";
import { lookAtFeed, type LookedFeed } from "../../sources/look.ts";
import { listSources } from "../../sources/store.ts";
import { showsOutbox } from "../this-machine.ts";
import { readFields } from "../pages/fields.ts";
import { framed } from "../pages/sample-view.ts";
import { englishZones } from "../pages/zones.ts";
import { confineMail } from "../security.ts";
import { askToWait } from "../ask-to-wait.ts";
import { needs, type Show } from "./desk.ts";
import { addSettingSteps } from "./setting-steps.ts";
import { feedAddress } from "./sources.ts";
import { showFields, sortProblems, type ShownField } from "./setup-fields.ts";
import type { Steps, Told } from "./step-result.ts";
import { count } from "./format.ts";

const path = "/operator/setup";
/** Maximum number of cached feed previews, each about 100 kB at most. */
const mostKept = 4;
const shownProblems = 3;
/** Steps after which the server restarts. */
const reopening: ReadonlySet<Told["step"]> = new Set(["publication", "logo", "relay"]);
const weekdays = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"] as const;
const dayNames = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"] as const;

interface Looked extends LookedFeed {
  url: string;
  html: string | null;
}

/** `/operator/setup`: from a feed to a first email, in independent steps. */
export function addSetupSteps(web: FastifyInstance, app: App, show: Show): void {
  const { db, clock, config, settings } = app;
  const looked = new Map<string, Looked>();

  const tell: Steps["tell"] = async (request, reply, told) => {
    const schedule = await loadSchedule(db);
    const sources = await listSources(db);
    const coming = await comingEdition(app);
    const look = told?.look === undefined ? null : (looked.get(told.look) ?? null);
    const fields: ShownField[] = showFields(config, settings, told?.publication, told?.fields);
    const relayFixed = settings.writable && settings.fixed.has("SMTP_URL");
    return show(
      request,
      reply,
      { name: "steps", title: "Setup", place: "today" },
      {
        told: { step: "", sentence: "", wrong: false, lines: null, ...told },
        writable: settings.writable,
        reopens: app.reopen !== null,
        url: told?.url ?? "",
        address: told?.address ?? "",
        wentBack: app.wentBack,
        sources: sources.filter(({ kind }) => kind === "feed").map((one) => one.title ?? shownUrl(one.url ?? "")),
        look: look && {
          id: told?.look,
          title: look.title ?? shownUrl(look.url),
          articles: count(look.articles.length, "article"),
          example: look.example,
          problems: look.problems.slice(0, shownProblems).map(problemText),
        },
        frame: look ? `${path}/look/${told?.look}.html` : coming.articles.length > 0 ? "/operator/preview.html" : null,
        fields,
        logoFixed: settings.writable && settings.fixed.has("PUBLICATION_LOGO"),
        named: config.postalAddress !== null && config.publicationName !== "Dayletter",
        sendAt: schedule.sendAt,
        timezone: schedule.timezone,
        zones: englishZones,
        days: weekdays.map((name, i) => ({ name, label: dayNames[i], on: schedule.sendDays.includes(i + 1) })),
        relay: {
          set: config.smtp !== null,
          fixed: relayFixed,
          host: told?.relay?.host ?? config.smtp?.host ?? "",
          port: told?.relay?.port ?? String(config.smtp?.port ?? "587"),
          user: told?.relay?.user ?? config.smtp?.user ?? "",
          keeps: config.smtp !== null && config.smtp.password !== null,
        },
        outbox: config.embedded.mail,
        outboxShown: showsOutbox(config),
      },
    );
  };

  web.get(path, needs.owner, async (request, reply) => {
    const done = doneWords(readFields(request.query).one("done"));
    const failed = app.wentBack !== null && done !== null && reopening.has(done.step);
    return tell(request, reply, failed ? { ...done, sentence: app.wentBack!, wrong: true } : (done ?? undefined));
  });

  web.post(`${path}/look`, needs.owner, async (request, reply) => {
    const url = readFields(request.body).one("url").trim();
    try {
      const feed = await lookAtFeed(app, feedAddress(url), clock.now());
      const copy = await print(feed);
      const id = randomBytes(16).toString("hex");
      looked.set(id, { ...feed, url, html: copy?.html() ?? null });
      for (const oldest of [...looked.keys()].slice(0, -mostKept)) looked.delete(oldest);
      return await tell(request, reply, { step: "feed", sentence: "", wrong: false, url, look: id });
    } catch (error) {
      return refused(request, reply, error, { step: "feed", url });
    }
  });

  web.get<{ Params: { file: string } }>(`${path}/look/:file`, needs.owner, async (request, reply) => {
    const html = looked.get(request.params.file.replace(/\.html$/, ""))?.html ?? null;
    if (html === null) throw new Refusal(404, "feed_preview_expired");
    return confineMail(reply).type("text/html; charset=utf-8").send(framed(html));
  });

  web.post(`${path}/source`, needs.owner, async (request, reply) => {
    const url = readFields(request.body).one("url").trim();
    try {
      await addSource(app, { url: feedAddress(url), tags: [], rename: {}, actor: request.operator.name });
      return reply.redirect(`${path}?done=source`, 303);
    } catch (error) {
      return refused(request, reply, error, { step: "feed", url });
    }
  });

  web.post(`${path}/schedule`, needs.owner, async (request, reply) => {
    const fields = readFields(request.body);
    try {
      const days = fields.all("day");
      if (days.length === 0) throw new Refusal(422, "no_weekday_chosen");
      const wanted = {
        sendAt: parseSendAt(fields.one("sendAt")),
        timezone: parseTimezone(fields.one("timezone")),
        sendDays: [...parseSendDays(days.join(","))],
      };
      // Do not send a due edition during setup.
      await changeSchedule(app, wanted, { actor: request.operator.name, passed: "skip" });
      return reply.redirect(`${path}?done=schedule#schedule`, 303);
    } catch (error) {
      return refused(request, reply, error, { step: "schedule" });
    }
  });

  web.post(`${path}/test`, needs.owner, async (request, reply) => {
    const address = readFields(request.body).one("address").trim();
    try {
      await mailEdition(app, { edition: null, address, tags: [], actor: request.operator.name });
      return reply.redirect(`${path}?done=test#test`, 303);
    } catch (error) {
      return refused(request, reply, error, { step: "test", address });
    }
  });

  addSettingSteps(web, app, show, { tell, refused });

  async function refused(
    request: FastifyRequest,
    reply: FastifyReply,
    error: unknown,
    told: Omit<Told, "sentence" | "wrong">,
  ): Promise<FastifyReply> {
    if (!(error instanceof Refusal)) throw error;
    const { fields, sentence } = sortProblems(error);
    return tell(request, askToWait(reply, error.details).code(error.status), {
      ...told,
      sentence,
      fields,
      wrong: true,
    });
  }

  /** The next email for a reader of all news, if this were the only feed. */
  async function print(feed: LookedFeed): Promise<SampleCopy | null> {
    const { date } = await comingEdition(app);
    const of = sampleOfArticles({ date, number: 1 }, feed.articles, `/editions/${date}`);
    return printSample(app, of, { known: [], spellings: new Map() });
  }
}

function doneWords(done: string): Told | null {
  if (done === "source")
    return {
      step: "feed",
      wrong: false,
      sentence: "Feed connected. Its new articles are waiting for the next edition.",
    };
  if (done === "schedule") return { step: "schedule", wrong: false, sentence: "Schedule saved." };
  if (done === "publication") return { step: "publication", wrong: false, sentence: "Publication saved." };
  if (done === "logo") return { step: "logo", wrong: false, sentence: "Logo saved." };
  if (done === "relay") return { step: "relay", wrong: false, sentence: "Relay saved." };
  if (done === "test")
    return {
      step: "test",
      wrong: false,
      sentence: "Test email queued. It is sent in the same way as readers’ emails.",
    };
  return null;
}
