import type { FastifyReply, FastifyRequest } from "fastify";
import type { App } from "../../app.ts";
import { writeAudit } from "../../ops/audit.ts";
import type { Show } from "./desk.ts";
import { environmentLines } from "./setup-fields.ts";
import type { Steps, Told } from "./told.ts";

/** Of these the audit log holds the names alone. */
const secrets = new Set(["SMTP_URL"]);

/** Changes settings, and answers: with the page of a server that opens anew, or with what to put into the environment. */
export type ChangeSettings = (
  request: FastifyRequest,
  reply: FastifyReply,
  step: Told["step"],
  wanted: Record<string, string>,
) => Promise<FastifyReply>;

/** @throws Refusal 422 (the answers' functions) for what is wrong with the settings as they would be */
export function openChange(app: App, show: Show, tell: Steps["tell"]): ChangeSettings {
  const path = "/operator/setup";
  const { settings, clock } = app;
  return async (request, reply, step, wanted) => {
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
  };
}
