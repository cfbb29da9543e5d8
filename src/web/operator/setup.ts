import { parseSendDays, parseSendAt, parseTimezone } from "../../base/schedule-values.ts";
import { sayReason, englishOf, englishWording } from "../../texts/catalogue.ts";
import { mailEdition } from "../../editions/mail-edition.ts";
import { printSample, type SampleCopy, sampleOfArticles } from "../../editions/sample.ts";
import { addSource, previewFeed, type FeedPreview } from "../../sources/manage-sources.ts";
import { shownUrl, feedAddress } from "../../sources/address.ts";
import { showFields, sortProblems, readForm, readRelay, relayOf, relayUrl } from "./setup-fields.ts";
import { createSmtpTransport } from "../../mail/smtp.ts";
import type { TransportCheck } from "../../mail/transport.ts";
import { randomBytes } from "node:crypto";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { App } from "../../app.ts";
import { Refusal } from "../../base/errors.ts";
import { remember } from "../../base/remember.ts";
import { comingEdition } from "../../editions/upcoming.ts";
import { changeSchedule } from "../../editions/change-schedule.ts";
import { loadSchedule } from "../../schedule/store.ts";
import { listSources } from "../../sources/store.ts";
import { showsOutbox } from "../this-machine.ts";
import { readFields } from "../pages/fields.ts";
import { framed } from "../pages/sample.ts";
import { englishZones } from "../pages/timezone.ts";
import { confineMail } from "../security.ts";
import { askToWait } from "../failures.ts";
import { needs, type Show } from "./dashboard.ts";
import { weekdays } from "./format.ts";
import { isLoopback } from "../../config/parse-values.ts";
import { changeLogo, largestUpload } from "../../operators/change-settings.ts";
import { restartIf, saveAndRestart, type Saving } from "./restart.ts";
import { takeUploads, uploadOf } from "../bodies.ts";

type AppDeps = Pick<
  App,
  | "config"
  | "options"
  | "settings"
  | "settingsFailure"
  | "reopen"
  | "clock"
  | "log"
  | "trace"
  | "db"
  | "queues"
  | "wake"
  | "fetch"
  | "parse"
  | "caps"
  | "publication"
  | "gather"
  | "samples"
>;

const { say } = englishWording();

const path = "/operator/setup";
/** Maximum number of cached feed previews, each about 100 kB at most. */
const mostKept = 4;
const shownProblems = 3;
/** Steps after which the server restarts. */
const reopening: ReadonlySet<StepResult["step"]> = new Set(["publication", "logo", "relay"]);

/** The result of a setup step, and the input to show again. */
interface StepResult {
  step: "feed" | "publication" | "logo" | "schedule" | "relay" | "test";
  sentence: string;
  wrong: boolean;
  url?: string;
  /** The id of a previewed feed. */
  look?: string;
  publication?: Record<string, string>;
  /** Error messages of the publication's fields. */
  fields?: Record<string, string>;
  relay?: { host: string; port: string; user: string };
  /** The address for the test email. */
  address?: string;
  /** Environment variables to set. */
  lines?: string;
}

interface Steps {
  /** Answers with the page. */
  answer(request: FastifyRequest, reply: FastifyReply, result?: StepResult): Promise<FastifyReply>;
  /** The same, with a refusal's message. @throws errors that are not a Refusal */
  refused(
    request: FastifyRequest,
    reply: FastifyReply,
    error: unknown,
    result: Omit<StepResult, "sentence" | "wrong">,
  ): Promise<FastifyReply>;
}

interface Looked extends FeedPreview {
  url: string;
  html: string | null;
}

/** `/operator/setup`: from a feed to a first email, in independent steps. */
export function addSetupSteps(web: FastifyInstance, app: AppDeps, show: Show): void {
  const { db, clock, config, settings } = app;
  const looked = new Map<string, Looked>();

  const answer: Steps["answer"] = async (request, reply, result) => {
    const schedule = await loadSchedule(db);
    const sources = await listSources(db);
    const coming = await comingEdition(app);
    const look = result?.look === undefined ? null : (looked.get(result.look) ?? null);
    const fields = await showFields(app, "publication", { values: result?.publication, wrong: result?.fields });
    return show(
      request,
      reply,
      { name: "setup", title: say("title.setup"), place: "today" },
      {
        result: { step: "", sentence: "", wrong: false, lines: null, ...result },
        place: settings.place,
        reopens: app.reopen !== null,
        url: result?.url ?? "",
        address: result?.address ?? "",
        restored: app.settingsFailure && sayReason(app.settingsFailure),
        sources: sources.filter(({ kind }) => kind === "feed").map((one) => one.title ?? shownUrl(one.url ?? "")),
        look: look && {
          id: result?.look,
          title: look.title ?? shownUrl(look.url),
          articles: say("edition.articles", { n: look.articles.length }),
          example: look.example,
          problems: look.problems.slice(0, shownProblems).map((problem) => sayReason(problem)),
        },
        frame: look
          ? `${path}/look/${result?.look}.html`
          : coming.articles.length > 0
            ? "/operator/preview.html"
            : null,
        fields,
        logoFixed: settings.fixed("PUBLICATION_LOGO") !== null,
        named: config.postalAddress !== null && config.publicationName !== "Dayletter",
        sendAt: schedule.sendAt,
        timezone: schedule.timezone,
        zones: englishZones,
        days: weekdays(englishOf(config.language), schedule.sendDays),
        relay: {
          set: config.smtp !== null,
          fixed: settings.fixed("SMTP_URL") === "set",
          saved: settings.place !== null && settings.fixed("SMTP_URL") === null,
          host: result?.relay?.host ?? config.smtp?.host ?? "",
          port: result?.relay?.port ?? String(config.smtp?.port ?? "587"),
          user: result?.relay?.user ?? config.smtp?.user ?? "",
          keeps: config.smtp !== null && config.smtp.password !== null,
        },
        transport: config.mailTransport,
        outbox: config.embedded.mail,
        outboxShown: showsOutbox(config),
      },
    );
  };

  web.get(path, needs.owner, async (request, reply) => {
    const done = doneText(readFields(request.query).one("done"));
    const failed = app.settingsFailure !== null && done !== null && reopening.has(done.step);
    return answer(
      request,
      reply,
      failed ? { ...done, sentence: sayReason(app.settingsFailure!), wrong: true } : (done ?? undefined),
    );
  });

  web.post(`${path}/look`, needs.owner, async (request, reply) => {
    const url = readFields(request.body).one("url").trim();
    try {
      const feed = await previewFeed(app, feedAddress(url), clock.now());
      const copy = await print(feed);
      const id = randomBytes(16).toString("hex");
      remember(looked, id, { ...feed, url, html: copy?.html() ?? null }, mostKept);
      return await answer(request, reply, { step: "feed", sentence: "", wrong: false, url, look: id });
    } catch (error) {
      return refused(request, reply, error, { step: "feed", url });
    }
  });

  web.get<{ Params: { file: string } }>(`${path}/look/:file`, needs.owner, async (request, reply) => {
    const html = looked.get(request.params.file.replace(/\.html$/, ""))?.html ?? null;
    if (html === null) throw new Refusal(404, "feed_preview_expired");
    return confineMail(reply, app.publication.pictures !== "off")
      .type("text/html; charset=utf-8")
      .send(framed(html));
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

  addSettingSteps(web, app, show, { answer, refused });

  async function refused(
    request: FastifyRequest,
    reply: FastifyReply,
    error: unknown,
    result: Omit<StepResult, "sentence" | "wrong">,
  ): Promise<FastifyReply> {
    if (!(error instanceof Refusal)) throw error;
    const { fields, sentence } = sortProblems(error, result.step);
    return answer(request, askToWait(reply, error.details).code(error.status), {
      ...result,
      sentence,
      fields,
      wrong: true,
    });
  }

  /** The next email for a reader of all news, if this were the only feed. */
  async function print(feed: FeedPreview): Promise<SampleCopy | null> {
    const { date } = await comingEdition(app);
    const of = sampleOfArticles({ date, number: 1 }, feed.articles, `/editions/${date}`);
    return printSample(app, of, { known: [], spellings: new Map() });
  }
}

function doneText(done: string): StepResult | null {
  const saved = (step: StepResult["step"], sentence: string): StepResult => ({ step, sentence, wrong: false });
  switch (done) {
    case "source":
      return saved("feed", say("setup.feed_connected"));
    case "schedule":
      return saved("schedule", say("setup.schedule_saved"));
    case "publication":
      return saved("publication", say("setup.publication_saved"));
    case "logo":
      return saved("logo", say("setup.logo_saved"));
    case "relay":
      return saved("relay", say("setup.relay_saved"));
    case "test":
      return saved("test", say("preview.test_sent"));
    default:
      return null;
  }
}

/** POST `/operator/setup/publication`, `logo` and `relay`: the steps that change settings. */
function addSettingSteps(web: FastifyInstance, app: AppDeps, show: Show, { answer, refused }: Steps): void {
  const { settings, config, clock, log } = app;

  web.post(`${path}/publication`, needs.owner, async (request, reply) => {
    const publication = readForm(readFields(request.body), "publication", settings);
    try {
      return await saveAndRestart(request, reply, app, {
        ...saving(request, reply, "publication"),
        wanted: publication,
      });
    } catch (error) {
      return refused(request, reply, error, { step: "publication", publication });
    }
  });

  // Saves an uploaded logo in the data folder, or removes the logo.
  web.register(async (scope) => {
    takeUploads(scope, largestUpload);
    scope.post(`${path}/logo`, needs.owner, async (request, reply) => {
      try {
        const { remove } = request.body as Record<string, unknown>;
        const content = remove === "1" ? null : uploadOf(request.body, "logo")?.content;
        if (content === undefined) throw new Refusal(422, "logo_not_chosen");
        const { changed } = await changeLogo(app, { content, actor: request.operator.name });
        return await restartIf(changed, request, reply, app, saving(request, reply, "logo"));
      } catch (error) {
        return refused(request, reply, error, { step: "logo" });
      }
    });
  });

  web.post(`${path}/relay`, needs.owner, async (request, reply) => {
    const fields = readFields(request.body);
    const { password, ...relay } = readRelay(fields);
    try {
      const url = relayUrl({ ...relay, password }, config.smtp);
      await settings.check({ SMTP_URL: url });
      if (url !== "" && !fields.has("unchecked")) {
        const result = await ask(url);
        if (!result.ok) throw result.refusal;
      }
      return await saveAndRestart(request, reply, app, {
        ...saving(request, reply, "relay"),
        wanted: { SMTP_URL: url },
      });
    } catch (error) {
      return refused(request, reply, error, { step: "relay", relay });
    }
  });

  const saving = (request: FastifyRequest, reply: FastifyReply, step: StepResult["step"]): Saving => ({
    show,
    next: `${path}?done=${step}#${step}`,
    answer: (result) => answer(request, reply, { step, wrong: false, ...result }),
  });

  /** Connects and signs in to a relay like a sender, without sending an email. */
  async function ask(url: string): Promise<TransportCheck> {
    const relay = relayOf(url);
    const options = { ...relay, requireTls: !isLoopback(relay.host), connections: 1, rate: null };
    const transport = createSmtpTransport({ clock, log }, options);
    try {
      return await transport.check();
    } finally {
      await transport.close(0);
    }
  }
}
