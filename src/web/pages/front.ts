import type { FastifyInstance, FastifyRequest } from "fastify";
import type { App } from "../../app.ts";
import { listPublished } from "../../editions/store.ts";
import { nextSteps } from "../../operations/next-steps.ts";
import { comingSends, status, type Status } from "../../operations/status.ts";
import { loadSchedule } from "../../schedule/store.ts";
import { formFields } from "../abuse/guard.ts";
import { allowOwnScripts } from "../security.ts";
import { shared } from "../../base/share-answers.ts";
import { findSession } from "../../operators/sessions.ts";
import { sessionCookie } from "../operator/cookie.ts";
import { browsedHere, showsOutbox } from "../this-machine.ts";
import type { Wording } from "../../wording/catalogue.ts";
import type { Views } from "../views.ts";
import { showPublished } from "./published.ts";
import type { SignupForm } from "./subscribe.ts";

/** A front page that everybody sees is made at most once in this time. */
const keptMs = 1_000;

/** `/`: what this is, sign-up, the latest edition, and for operators what is connected and what to do next. */
export function addFrontPage(web: FastifyInstance, app: App, deps: { views: Views; form: SignupForm }): void {
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
async function loadFacts({ db, clock }: App, words: Wording) {
  const schedule = await loadSchedule(db);
  const [[latest], [next]] = await Promise.all([listPublished(db, 1), comingSends(db, clock.now(), schedule)]);
  return {
    latest: latest ? showPublished(latest, words) : null,
    next: next ? { at: when(next.at, schedule.timezone, words.language), zone: schedule.timezone } : null,
  };
}

/** Only this machine and operators see how things stand behind the page, however little there is to see yet. */
async function stepsFor(
  app: App,
  request: FastifyRequest,
  session: string | null,
  standing: () => Promise<Status>,
): Promise<object | null> {
  const local = browsedHere(request);
  const operator = session === null ? null : await findSession(app.db, session, app.clock.now(), "page");
  if (!local && operator === null) return null;
  const { done, next } = nextSteps(await standing(), app.config);
  return { done: done.map(withCode), next: next.map(withCode), outbox: local && showsOutbox(app.config) };
}

/** A sentence in pieces; those between backquotes are code. */
function withCode(sentence: string): { text: string; code: boolean }[] {
  return sentence.split("`").map((text, i) => ({ text, code: i % 2 === 1 }));
}

function when(at: Date, timezone: string, language: string): string {
  const format = new Intl.DateTimeFormat(language, {
    weekday: "long",
    day: "numeric",
    month: "long",
    hour: "2-digit",
    minute: "2-digit",
    hourCycle: "h23",
    timeZone: timezone,
  });
  return format.format(at);
}
