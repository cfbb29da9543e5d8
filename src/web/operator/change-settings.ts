import type { FastifyReply, FastifyRequest } from "fastify";
import type { App } from "../../app.ts";
import { saveSettings } from "../../operations/change-settings.ts";
import type { Show } from "./desk.ts";
import { environmentLines } from "./setup-fields.ts";
import type { Steps, Told } from "./step-result.ts";

/** Changes settings and shows the restart page, or shows the environment variables to set. */
export type ChangeSettings = (
  request: FastifyRequest,
  reply: FastifyReply,
  step: Told["step"],
  wanted: Record<string, string>,
) => Promise<FastifyReply>;

/** Answers after settings were saved or were already the same. */
export type AnswerSaved = (
  request: FastifyRequest,
  reply: FastifyReply,
  step: Told["step"],
  changed: boolean,
) => Promise<FastifyReply>;

const path = "/operator/setup";

export function openAnswer(app: App, show: Show, tell: Steps["tell"]): AnswerSaved {
  return async (request, reply, step, changed) => {
    if (!changed) return reply.redirect(`${path}?done=${step}#${step}`, 303);
    if (app.reopen === null) {
      const sentence = "Saved. Restart the server to apply the change.";
      return tell(request, reply, { step, sentence, wrong: false });
    }
    reply.raw.once("finish", app.reopen);
    const page = { name: "reopening", title: "Saved", place: "today" } as const;
    return show(request, reply.header("connection", "close"), page, { next: `${path}?done=${step}#${step}` });
  };
}

/** The returned function throws Refusal 422 if the resulting settings are invalid. */
export function openChange(app: App, answerSaved: AnswerSaved, tell: Steps["tell"]): ChangeSettings {
  const { settings } = app;
  return async (request, reply, step, wanted) => {
    if (!settings.writable) {
      settings.check(wanted);
      const sentence =
        "These settings are valid. Add them to the environment of every process, then restart every process:";
      return tell(request, reply, { step, sentence, wrong: false, lines: environmentLines(wanted) });
    }
    return answerSaved(request, reply, step, await saveSettings(app, { wanted, actor: request.operator.name }));
  };
}
