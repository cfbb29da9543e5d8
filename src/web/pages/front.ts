import type { FastifyInstance, FastifyRequest } from "fastify";
import type { App } from "../../app.ts";
import { listPublished } from "../../editions/store.ts";
import { nextSteps } from "../../ops/next-steps.ts";
import { comingSends, status } from "../../ops/status.ts";
import { loadSchedule } from "../../schedule/store.ts";
import { feedIds } from "../../sources/store.ts";
import { hasReaders } from "../../subscribers/store.ts";
import { fromThisMachine } from "../this-machine.ts";
import { pageLanguage, type Views } from "../views.ts";
import { showPublished } from "./published.ts";

/** `/`: what this is, the latest edition, and for whoever sets it up, what is connected and what to do next. */
export function addFrontPage(web: FastifyInstance, app: App, views: Views): void {
  const { db, clock, config, options } = app;
  web.get("/", async (request, reply) => {
    const schedule = await loadSchedule(db, options);
    const [latest] = await listPublished(db, 1);
    const [next] = await comingSends(db, clock.now(), schedule);
    return views.send(reply.header("cache-control", "no-cache"), "front", {
      title: config.publicationName,
      latest: latest ? showPublished(latest, config.language) : null,
      next: next ? when(next.at, schedule.timezone, config.language) : null,
      steps: await stepsFor(app, request),
    });
  });
}

/** Readers are not told how things stand behind the page; before there are any, whoever looks is setting it up. */
async function stepsFor(app: App, request: FastifyRequest): Promise<object | null> {
  const local = fromThisMachine(request);
  if (!local && (await feedIds(app.db)).length > 0 && (await hasReaders(app.db))) return null;
  const { done, next } = nextSteps(await status(app), app.config);
  return { done: done.map(withCode), next: next.map(withCode), local, outbox: local && app.config.embedded.mail };
}

/** A sentence in pieces; those between backquotes are code. */
function withCode(sentence: string): { text: string; code: boolean }[] {
  return sentence.split("`").map((text, i) => ({ text, code: i % 2 === 1 }));
}

function when(at: Date, timezone: string, language: string): string {
  const format = new Intl.DateTimeFormat(pageLanguage(language), {
    weekday: "long",
    day: "numeric",
    month: "long",
    hour: "2-digit",
    minute: "2-digit",
    hourCycle: "h23",
    timeZone: timezone,
  });
  return `${format.format(at)} (${timezone})`;
}
