import { formatDate } from "../../base/dates.ts";
import { englishWording, type Message, type MessageKey, type Wording } from "../../texts/catalogue.ts";
import type { FastifyInstance, FastifyRequest } from "fastify";
import type { App } from "../../app.ts";
import { listPublished } from "../../editions/store.ts";
import { nextSteps } from "../../alerts/next-steps.ts";
import { comingSends, status, type Status } from "../../alerts/status.ts";
import { loadSchedule } from "../../schedule/store.ts";
import { formFields } from "../abuse/guard.ts";
import { allowOwnScripts } from "../security.ts";
import { shared } from "../../base/async.ts";
import { findSession } from "../../operators/sessions.ts";
import { sessionCookie } from "../operator/session.ts";
import { browsedHere, showsOutbox } from "../this-machine.ts";
import type { Views } from "../views.ts";
import { showPublished } from "./editions.ts";
import { zoneName } from "./timezone.ts";
import type { SignupForm } from "./subscribe.ts";

type AppDeps = Pick<App, "config" | "options" | "clock" | "log" | "db" | "transport" | "caps">;

/** A front page that everybody sees is made at most once in this time. */
const keptMs = 1_000;

/** `/`: what this is, sign-up, the latest edition, and for operators what is connected and what to do next. */
export function addFrontPage(web: FastifyInstance, app: AppDeps, deps: { views: Views; form: SignupForm }): void {
  const { views, form } = deps;
  const facts = shared(() => loadFacts(app, views.words));
  const standing = shared(() => status(app));
  const cookie = sessionCookie(app.config.publicUrl);
  let kept: { html: string; guard: { t: string; challenge: boolean }; until: number } | null = null;

  web.get("/", async (request, reply) => {
    allowOwnScripts(reply.header("cache-control", "no-cache")).type("text/html; charset=utf-8");
    const session = cookie.read(request);
    const plain = request.url === "/" && session === null && !browsedHere(request);
    if (plain && kept && performance.now() < kept.until) {
      const page = kept;
      const { t, challenge } = await formFields(app, request);
      if (challenge === page.guard.challenge) return page.html.replace(`value="${page.guard.t}"`, `value="${t}"`);
    }
    const [known, filled] = await Promise.all([facts(), form.fromLink(request)]);
    const steps = await stepsFor(app, request, session, standing);
    const html = views.page("front", {
      title: app.config.publicationName,
      form: filled,
      latest: known.latest,
      next: known.next,
      steps,
    });
    if (plain) kept = { html, guard: filled.guard, until: performance.now() + keptMs };
    return html;
  });
}

/** What the page says to everybody; many who look at the same time share it. */
async function loadFacts({ db, clock }: Pick<App, "clock" | "db">, words: Wording) {
  const schedule = await loadSchedule(db);
  const [[latest], [next]] = await Promise.all([listPublished(db, 1), comingSends(db, clock.now(), schedule)]);
  return {
    latest: latest ? showPublished(latest, words) : null,
    next: next ? { at: when(next.at, schedule.timezone, words.language), zone: zoneName(schedule.timezone) } : null,
  };
}

/** Only this machine and operators see how things stand behind the page, however little there is to see yet. */
async function stepsFor(
  app: Pick<App, "config" | "clock" | "db">,
  request: FastifyRequest,
  session: string | null,
  standing: () => Promise<Status>,
): Promise<object | null> {
  const local = browsedHere(request);
  const operator = session === null ? null : await findSession(app.db, session, app.clock.now(), "page");
  if (!local && operator === null) return null;
  const { done, next } = nextSteps(await standing(), app.config);
  const { say } = englishWording();
  return {
    done: done.map(({ key, values }) => say(key, values).replaceAll("`", "")),
    next: next.map(asPageStep),
    outbox: local && showsOutbox(app.config),
  };
}

/** What each next step is called on a page, and the page on which it is done. The command line names commands instead. */
const stepPages: Partial<Record<MessageKey, { sentence: MessageKey; label: MessageKey; path: string }>> = {
  "status.no_source": {
    sentence: "decision.no_sources",
    label: "decision.connect_source",
    path: "/operator/sources#add",
  },
  "status.source_failing": {
    sentence: "decision.source_failing",
    label: "decision.review_sources",
    path: "/operator/sources",
  },
  "status.no_reader": {
    sentence: "decision.no_readers",
    label: "decision.import_readers",
    path: "/operator/readers#import",
  },
  "status.no_relay": { sentence: "step.no_relay", label: "step.set_relay", path: "/operator/setup" },
  "status.no_postal_address": {
    sentence: "status.no_postal_address",
    label: "step.set_postal_address",
    path: "/operator/setup#publication",
  },
  "status.relay_paused": {
    sentence: "step.relay_paused",
    label: "decision.view_relay",
    path: "/operator/relay",
  },
  "status.no_dates": {
    sentence: "decision.no_dates",
    label: "decision.change_schedule",
    path: "/operator/schedule",
  },
  "status.edition_held": { sentence: "decision.edition_held", label: "decision.review_edition", path: "/operator" },
  "status.edition_paused": { sentence: "decision.edition_paused", label: "decision.resume_edition", path: "/operator" },
  "status.outcomes_unknown": { sentence: "decision.outcomes_unknown", label: "decision.resend", path: "/operator" },
};

function asPageStep({ key, values }: Message): { sentence: string; label: string; path: string } {
  const { say } = englishWording();
  const page = stepPages[key];
  if (!page) return { sentence: say(key, values), label: say("step.dashboard"), path: "/operator" };
  return { sentence: say(page.sentence, { reason: "none", ...values }), label: say(page.label), path: page.path };
}

function when(at: Date, timezone: string, language: string): string {
  return formatDate(at, language, {
    weekday: "long",
    day: "numeric",
    month: "long",
    hour: "2-digit",
    minute: "2-digit",
    hourCycle: "h23",
    timeZone: timezone,
  });
}
