import type { FastifyInstance } from "fastify";
import type { App } from "../../app.ts";
import { englishWording } from "../../texts/catalogue.ts";
import { openAlerts } from "../../alerts/store.ts";
import { relayState } from "../../deliveries/relay.ts";
import { resumeRelay } from "../../deliveries/resume-relay.ts";
import { loadSchedule } from "../../schedule/store.ts";
import { readFields } from "../pages/fields.ts";
import { needs, type Show } from "./dashboard.ts";
import { relayInWords } from "./progress.ts";

const { say } = englishWording();

const path = "/operator/relay";

/** `/operator/relay`: whether the relay accepts emails, and ending a pause. */
export function addRelayPage(
  web: FastifyInstance,
  app: Pick<App, "config" | "options" | "clock" | "db" | "transport" | "wake">,
  show: Show,
): void {
  web.get(path, needs.viewer, async (request, reply) => {
    const [relay, alerts, { timezone }] = await Promise.all([
      relayState(app),
      openAlerts(app.db),
      loadSchedule(app.db),
    ]);
    return show(
      request,
      reply,
      { name: "relay", title: say("title.relay"), place: "today" },
      {
        notice: readFields(request.query).has("resumed") ? say("relay.resumed") : null,
        outbox: app.config.embedded.mail,
        trouble: relayInWords(relay, alerts, timezone),
        resumable: relay.resumable,
      },
    );
  });

  web.post(`${path}/resume`, needs.editor, async (request, reply) => {
    const { changed } = await resumeRelay(app, { actor: request.operator.name });
    return reply.redirect(changed ? `${path}?resumed` : path, 303);
  });
}
