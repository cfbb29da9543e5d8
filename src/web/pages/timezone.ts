import type { FastifyInstance, FastifyReply } from "fastify";
import type { App } from "../../app.ts";
import { Refusal } from "../../base/errors.ts";
import { setReaderTimezone } from "../../subscribers/preferences.ts";
import type { Subscriber } from "../../subscribers/store.ts";
import type { ScheduleNow } from "../schedule-now.ts";
import type { Views } from "../views.ts";
import { readFields } from "./fields.ts";
import { readerPaths, type FindReader } from "./reader.ts";
import { readZone, zoneName, zoneOptions } from "./zones.ts";

/**
 * `/preferences/:token/timezone`: by which clocks the mail comes. On a page of its own, as the list of zones is longer
 * than all else that a reader can set.
 */
export function addTimezonePages(
  web: FastifyInstance,
  app: App,
  deps: { views: Views; find: FindReader; schedule: ScheduleNow },
): void {
  const { views, find, schedule } = deps;
  const { say, reason } = views.words;
  const zones = zoneOptions(views.words);
  const pathsOf = (reader: Subscriber) => readerPaths(app.options.secret, reader);

  async function show(reply: FastifyReply, reader: Subscriber, wrong: string | null): Promise<FastifyReply> {
    const { timezone, sendAt } = await schedule();
    return views.send(reply, "timezone", {
      title: wrong === null ? say("zone.title") : say("form.wrong_title"),
      wrong,
      sendAt,
      ownZone: timezone,
      zones,
      zone: reader.timezone,
      zoneName: reader.timezone && zoneName(reader.timezone),
      paths: pathsOf(reader),
    });
  }

  web.get<{ Params: { token: string } }>("/preferences/:token/timezone", async (request, reply) =>
    show(reply, await find(request, "preferences"), null),
  );

  web.post<{ Params: { token: string } }>("/preferences/:token/timezone", async (request, reply) => {
    const reader = await find(request, "preferences");
    try {
      await setReaderTimezone(app, reader.id, readZone(readFields(request.body).one("timezone")));
    } catch (error) {
      if (!(error instanceof Refusal) || error.status !== 422) throw error;
      return show(reply.code(422), reader, reason(error));
    }
    return reply.redirect(`${pathsOf(reader).preferences}?saved=zone`, 303);
  });
}
