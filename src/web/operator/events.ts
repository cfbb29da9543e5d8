import { Readable } from "node:stream";
import type { FastifyInstance } from "fastify";
import type { App } from "../../app.ts";
import { Refusal } from "../../base/errors.ts";
import { needs } from "./desk.ts";
import { openLive, type Progress } from "./live.ts";

const mostWatchers = 200;
const beatMs = 15_000;
/** A watcher who does not read is not told more until they do. */
const mostUnread = 64 * 1_024;

/**
 * `/operator/events`: the progress of the edition that goes out, as server-sent events (WHATWG HTML, 9.2). Each event is
 * the whole picture, so a page that was reloaded, or lost the line, has it again with the next one.
 */
export function addEvents(web: FastifyInstance, app: App, everyMs?: number): void {
  const live = openLive(app, everyMs);
  const streams = new Set<Readable>();
  web.addHook("preClose", async () => {
    live.close();
    for (const stream of streams) stream.push(null);
  });

  web.get("/operator/events", needs.viewer, async (_request, reply) => {
    if (streams.size >= mostWatchers) throw new Refusal(503, `${mostWatchers} pages are watching already: close some.`);
    const stream = new Readable({ read() {} });
    streams.add(stream);
    const say = (text: string): void => {
      if (stream.readableLength < mostUnread && !stream.readableEnded) stream.push(text);
    };
    say("retry: 3000\n\n");
    const leave = live.watch((progress: Progress) => say(`data: ${JSON.stringify(progress)}\n\n`));
    const beat = setInterval(() => say(": still here\n\n"), beatMs).unref();
    stream.once("close", () => {
      clearInterval(beat);
      leave();
      streams.delete(stream);
    });
    // A proxy that gathers answers before it passes them on would turn progress into silence.
    return reply.header("x-accel-buffering", "no").type("text/event-stream; charset=utf-8").send(stream);
  });
}
