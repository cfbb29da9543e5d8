import type { FastifyInstance } from "fastify";
import type { App } from "../../app.ts";
import { isLoopback } from "../../config/readers.ts";
import { createSmtpTransport, type TransportCheck } from "../../mail/transport.ts";
import { readFields } from "../pages/fields.ts";
import { openAnswer, openChange } from "./change-settings.ts";
import { needs, type Show } from "./desk.ts";
import { addLogoStep } from "./logo-step.ts";
import { readPublication, readRelay, relayOf, relayUrl } from "./setup-fields.ts";
import type { Steps } from "./step-result.ts";

/** POST `/operator/setup/publication`, `logo` and `relay`: the steps that change settings. */
export function addSettingSteps(web: FastifyInstance, app: App, show: Show, steps: Steps): void {
  const path = "/operator/setup";
  const { settings, config, clock, log } = app;
  const { refused } = steps;
  const answerSaved = openAnswer(app, show, steps.tell);
  const change = openChange(app, answerSaved, steps.tell);
  addLogoStep(web, app, answerSaved, steps);

  web.post(`${path}/publication`, needs.owner, async (request, reply) => {
    const publication = readPublication(readFields(request.body), settings);
    try {
      return await change(request, reply, "publication", publication);
    } catch (error) {
      return refused(request, reply, error, { step: "publication", publication });
    }
  });

  web.post(`${path}/relay`, needs.owner, async (request, reply) => {
    const fields = readFields(request.body);
    const { password, ...relay } = readRelay(fields);
    try {
      const url = relayUrl({ ...relay, password }, config.smtp);
      settings.check({ SMTP_URL: url });
      if (url !== "" && !fields.has("unchecked")) {
        const result = await ask(url);
        if (!result.ok) throw result.refusal;
      }
      return await change(request, reply, "relay", { SMTP_URL: url });
    } catch (error) {
      return refused(request, reply, error, { step: "relay", relay });
    }
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
