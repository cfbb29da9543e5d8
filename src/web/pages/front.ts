import type { FastifyInstance } from "fastify";
import type { App } from "../../app.ts";
import { listPublished } from "../../editions/store.ts";
import { comingSends } from "../../ops/status.ts";
import { loadSchedule } from "../../schedule/store.ts";
import { listSources } from "../../sources/store.ts";
import { hasReaders } from "../../subscribers/store.ts";
import { pageLanguage, type Views } from "../views.ts";
import { showPublished } from "./published.ts";

/** `/`: what this is, the latest edition, and what is still to be connected. */
export function addFrontPage(web: FastifyInstance, app: App, views: Views): void {
  const { db, clock, config, options } = app;
  web.get("/", async (_request, reply) => {
    const schedule = await loadSchedule(db, options);
    const [latest] = await listPublished(db, 1);
    const [next] = await comingSends(db, clock.now(), schedule);
    const sources = await listSources(db);
    const feeds = sources.filter((source) => source.kind === "feed").length;
    const connected = { sources: sources.length > 0, relay: !config.embedded.mail, readers: await hasReaders(db) };
    return views.send(reply, "front", {
      title: config.publicationName,
      latest: latest ? showPublished(latest, config.language) : null,
      next: next ? when(next.at, schedule.timezone, config.language) : null,
      steps: Object.values(connected).every(Boolean) ? null : { ...connected, feeds },
    });
  });
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
