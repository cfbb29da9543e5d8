import { Readable } from "node:stream";
import type { FastifyInstance } from "fastify";
import { performance } from "node:perf_hooks";
import type { App } from "../../app.ts";
import { Refusal, reasonOf } from "../../base/errors.ts";
import { goesOn } from "../../operators/sessions.ts";
import { noHead } from "../limits.ts";
import { readFields } from "../pages/fields.ts";
import { needs } from "./dashboard.ts";
import { followEditions, type Progress } from "./progress.ts";
import type { Log } from "../../base/log.ts";
import { isActive, type EditionState } from "../../editions/state.ts";

const mostWatchers = 200;
const beatMs = 15_000;
/** Maximum age of relative times on an idle page, such as "in 12 minutes". */
const staleMs = 60_000;
/** Backpressure: a client with this much unread data gets no further events. */
const mostUnread = 64 * 1_024;

/** Tells the page to reload its content, because an edition has changed its state. */
const changed = message("", "changed");

/**
 * `/operator/events`: the progress of active editions as server-sent events (WHATWG HTML, 9.2). Events are HTML fragments,
 * rendered once for all clients. Every event is complete, so a client that missed some needs only the next one. The
 * parameter `shown` holds the states that the page shows (see `streamOf`). When they differ, the event `changed` is sent.
 * With `edition`, the stream covers only that edition.
 */
export function addEvents(
  web: FastifyInstance,
  app: Pick<App, "clock" | "log" | "db" | "transport" | "options">,
  render: (progress: Progress) => string,
): void {
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
    // The headers are sent with the first data, which may otherwise take 15 s.
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
      // End the stream when the session has ended, but not when the database is briefly unavailable.
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
    // Without this header, proxies may buffer the events.
    return reply.header("x-accel-buffering", "no").type("text/event-stream; charset=utf-8").send(stream);
  });
}

function message(data: string, event?: string): string {
  const lines = data.split("\n").map((line) => `data: ${line}`);
  return `${event === undefined ? "" : `event: ${event}\n`}${lines.join("\n")}\n\n`;
}

interface Live<T> {
  /** Reports the state at the next read and then every change, until the returned function is called. */
  watch(report: (picture: T) => void): () => void;
  close(): void;
}

/** Limits reading to 2.5% of one database connection, however large the edition is. */
const restPerWork = 40;

/** Each read serves all watchers of this process. Without watchers, nothing is read. Every report is complete. */
export function openLive<T>(deps: { look(): Promise<T>; log: Log }, everyMs = 1_000): Live<T> {
  const watchers = new Set<(picture: T) => void>();
  /** Watchers without a report yet. Earlier data may be older than their page. */
  const waiting = new Set<(picture: T) => void>();
  let last = "";
  let timer: NodeJS.Timeout | null = null;
  let looking = false;

  async function look(): Promise<void> {
    if (looking) return;
    looking = true;
    const started = performance.now();
    const unreported = new Set(waiting);
    try {
      const picture = await deps.look();
      const now = JSON.stringify(picture);
      const differs = now !== last;
      last = now;
      for (const report of watchers) {
        if (!unreported.has(report) && (!differs || waiting.has(report))) continue;
        waiting.delete(report);
        report(picture);
      }
    } catch (error) {
      deps.log.warn({ reason: reasonOf(error) }, "cannot read the progress of editions");
    }
    looking = false;
    if (watchers.size === 0) return;
    timer = setTimeout(() => void look(), Math.max(everyMs, (performance.now() - started) * restPerWork));
    timer.unref();
  }

  return {
    watch(report) {
      watchers.add(report);
      waiting.add(report);
      if (watchers.size === 1) {
        if (timer) clearTimeout(timer);
        void look();
      }
      return () => {
        watchers.delete(report);
        waiting.delete(report);
        if (watchers.size > 0 || !timer) return;
        clearTimeout(timer);
        timer = null;
      };
    },
    close() {
      watchers.clear();
      waiting.clear();
      if (timer) clearTimeout(timer);
      timer = null;
    },
  };
}

type Shown = readonly { id: number; state: EditionState }[];

/**
 * The edition states that a page shows, as one string that the event stream compares with the present states.
 * @param about limits it to one edition, and to the time until that edition is closed
 */
export function shownOf(editions: Shown, about?: number): string {
  return editions
    .filter(({ id, state }) => about === undefined || (id === about && isActive(state)))
    .map(({ id, state }) => `${id}.${state}`)
    .join("_");
}

/**
 * The event stream for a page that shows these editions; see `addEvents`.
 * @returns also the id of the listening element, which changes with the states so that htmx closes the old connection
 */
export function streamOf(editions: Shown, about?: number): { id: string; path: string } {
  const shown = shownOf(editions, about);
  const query = new URLSearchParams({ shown });
  if (about !== undefined) query.set("edition", String(about));
  return { id: `stream-${shown}`, path: `/operator/events?${query.toString()}` };
}
