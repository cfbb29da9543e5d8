import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { App } from "../../app.ts";
import { Refusal } from "../../base/errors.ts";
import { isLoopback } from "../../config/readers.ts";
import { createSmtpTransport } from "../../mail/transport.ts";
import { writeAudit } from "../../ops/audit.ts";
import { readFields } from "../pages/fields.ts";
import { needs, type Show } from "./desk.ts";
import { environmentLines, readPublication, readRelay, relayOf, relayUrl } from "./setup-fields.ts";

/** What a step has to say, and what was typed into it. */
export interface Told {
  step: "feed" | "publication" | "schedule" | "relay" | "test";
  sentence: string;
  wrong: boolean;
  url?: string;
  /** A feed that was looked at. */
  look?: string;
  publication?: Record<string, string>;
  relay?: { host: string; port: string; user: string };
  /** What to put into the environment. */
  lines?: string;
}

export interface Steps {
  /** Answers with the page. */
  tell(request: FastifyRequest, reply: FastifyReply, told?: Told): Promise<FastifyReply>;
  /** The same, with what was wrong. @throws whatever is no Refusal */
  refused(
    request: FastifyRequest,
    reply: FastifyReply,
    error: unknown,
    told: Omit<Told, "sentence" | "wrong">,
  ): Promise<FastifyReply>;
}

/** Of these the audit log holds the names alone. */
const secrets = new Set(["SMTP_URL"]);

/** POST `/operator/setup/publication` and `/operator/setup/relay`: the steps that change settings. */
export function addSettingSteps(web: FastifyInstance, app: App, show: Show, { tell, refused }: Steps): void {
  const path = "/operator/setup";
  const { settings, config, clock, log } = app;

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
        const { ok, sentence } = await ask(url);
        if (!ok) throw new Refusal(422, sentence);
      }
      return await change(request, reply, "relay", { SMTP_URL: url });
    } catch (error) {
      return refused(request, reply, error, { step: "relay", relay });
    }
  });

  async function change(
    request: FastifyRequest,
    reply: FastifyReply,
    step: "publication" | "relay",
    wanted: Record<string, string>,
  ): Promise<FastifyReply> {
    if (!settings.writable) {
      settings.check(wanted);
      const sentence = "These are right. Put them into the environment of every process, and start it again:";
      return tell(request, reply, { step, sentence, wrong: false, lines: environmentLines(wanted) });
    }
    const before = settings.values();
    const names = Object.keys(wanted).filter((name) => wanted[name] !== (before[name] ?? ""));
    if (names.length === 0) return reply.redirect(`${path}?done=${step}#${step}`, 303);
    settings.save(wanted);
    const detail = Object.fromEntries(names.map((name) => [name, secrets.has(name) ? "changed" : wanted[name]]));
    const { name: actor } = request.operator;
    await writeAudit(app.db, { at: clock.now(), actor, action: "settings set", subject: names.join(", "), detail });
    if (app.reopen === null) {
      const sentence = "Saved. Restart the server for it to take effect.";
      return tell(request, reply, { step, sentence, wrong: false });
    }
    reply.raw.once("finish", app.reopen);
    const page = { name: "reopening", title: "Saved", place: "today" } as const;
    return show(request, reply.header("connection", "close"), page, { next: `${path}?done=${step}#${step}` });
  }

  /** Goes to a relay as a sender would, without a mail. */
  async function ask(url: string): Promise<{ ok: boolean; sentence: string }> {
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
