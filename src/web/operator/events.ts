import { Readable } from "node:stream";
import type { FastifyInstance } from "fastify";
import type { App } from "../../app.ts";
import { Refusal } from "../../base/errors.ts";
import { goesOn } from "../../operators/sessions.ts";
import { noHead } from "../limits.ts";
import { readFields } from "../pages/fields.ts";
import { needs } from "./desk.ts";
import { openLive } from "./live.ts";
import { followEditions, type Progress } from "./progress.ts";
import { shownOf } from "./shown.ts";

const mostWatchers = 200;
const beatMs = 15_000;
/** How old the words of a page may get on which nothing moves, such as "in 12 minutes". */
const staleMs = 60_000;
/** A watcher who does not read is not told more until they do. */
const mostUnread = 64 * 1_024;

/** Tells the page to ask for itself once more: its words and its buttons are those of another state. */
const changed = message("", "changed");

/**
 * `/operator/events`: how the editions go that are not over, as server-sent events (WHATWG HTML, 9.2), each of them a piece
 * of HTML for the pages to put in its place, made once for all who watch. Every event is the whole of it, so a page that
 * lost the line has all again with the next one. `shown` says which states the page shows (see `streamOf`): when they
 * are others, now or later, the event `changed` says so. With `edition` it is all about that one.
 */
export function addEvents(web: FastifyInstance, app: App, render: (progress: Progress) => string): void {
  const follow = followEditions(app);
  const live = openLive({
    log: app.log,
    look: async () => {
      const { editions, progress } = await follow();
      return { editions, pieces: progress.map((one) => ({ id: one.id, html: render(one) })) };
    },
  });
  const streams = new Set<Readable>();
  web.addHook("preClose", async () => {
    live.close();
    for (const stream of streams) stream.push(null);
  });

  web.get("/operator/events", { ...needs.viewer, ...noHead }, async (request, reply) => {
    if (streams.size >= mostWatchers) throw new Refusal(503, "too_many_watchers", { most: mostWatchers });
    const query = readFields(request.query);
    const about = /^\d{1,15}$/.test(query.one("edition")) ? Number(query.one("edition")) : undefined;
    let shown = query.one("shown");
    let moving = true;
    const stream = new Readable({ read() {} });
    streams.add(stream);
    const say = (text: string): void => {
      if (stream.readableLength < mostUnread && !stream.readableEnded) stream.push(text);
    };
    // The headers leave with the first words, and on a quiet day there are none for 15 s.
    say(": connected\n\n");
    const leave = live.watch(({ editions, pieces }) => {
      moving = pieces.length > 0;
      const now = shownOf(editions, about);
      const html = pieces.filter(({ id }) => about === undefined || id === about).map((one) => one.html);
      if (now !== shown) say(changed);
      else if (html.length > 0) say(message(html.join("\n")));
      shown = now;
    });
    const session = request.operatorSession!;
    const beat = setInterval(() => void keepUp(), beatMs).unref();
    async function keepUp(): Promise<void> {
      // Whoever was signed out or disabled meanwhile hears no more; a database that is away for a moment ends nothing.
      const goes = await goesOn(app.db, session, app.clock.now()).catch(() => true);
      if (goes) say(": still here\n\n");
      else stream.push(null);
    }
    const stale = setInterval(() => moving || about !== undefined || say(changed), staleMs).unref();
    stream.once("close", () => {
      clearInterval(beat);
      clearInterval(stale);
      leave();
      streams.delete(stream);
    });
    // A proxy that gathers answers before it passes them on would turn progress into silence.
    return reply.header("x-accel-buffering", "no").type("text/event-stream; charset=utf-8").send(stream);
  });
}

function message(data: string, event?: string): string {
  const lines = data.split("\n").map((line) => `data: ${line}`);
  return `${event === undefined ? "" : `event: ${event}\n`}${lines.join("\n")}\n\n`;
}
