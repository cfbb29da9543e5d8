import type { FastifyReply, FastifyRequest } from "fastify";
import type { App } from "../../app.ts";
import { englishWording } from "../../texts/catalogue.ts";
import { saveSettings } from "../../operators/change-settings.ts";
import type { Show } from "./dashboard.ts";
import { environmentLines } from "./setup-fields.ts";

const { say } = englishWording();

/** How a page goes on after its settings were sent. */
export interface Saving {
  show: Show;
  /** The page with the settings as they are then. */
  next: string;
  /** Answers with the page and a sentence, and with the environment variables to set if there are any. */
  answer(result: { sentence: string; lines?: string }): Promise<FastifyReply>;
}

/**
 * Changes settings and restarts the server. Where they can only be set in the environment, shows the variables to set.
 * @throws Refusal 422 if the resulting settings are invalid
 */
export async function saveAndRestart(
  request: FastifyRequest,
  reply: FastifyReply,
  app: Pick<App, "settings" | "db" | "clock" | "reopen">,
  { wanted, ...saving }: Saving & { wanted: Record<string, string> },
): Promise<FastifyReply> {
  const { settings } = app;
  if (settings.place !== null && Object.keys(wanted).every((name) => settings.fixed(name) === null)) {
    const changed = await saveSettings(app, { wanted, actor: request.operator.name });
    return restartIf(changed, request, reply, app, saving);
  }
  await settings.check(wanted);
  return saving.answer({ sentence: say("setup.settings_valid"), lines: environmentLines(wanted) });
}

/** Answers after settings were saved or were already the same, and restarts the server if it can. */
export async function restartIf(
  changed: boolean,
  request: FastifyRequest,
  reply: FastifyReply,
  { reopen }: Pick<App, "reopen">,
  { show, next, answer }: Saving,
): Promise<FastifyReply> {
  if (!changed) return reply.redirect(next, 303);
  if (reopen === null) return answer({ sentence: say("setup.restart_needed") });
  reply.raw.once("finish", reopen);
  // The page goes on to `next` when the server is back.
  const page = { name: "reopening", title: say("title.saved"), place: "today" } as const;
  return show(request, reply.header("connection", "close"), page, { next });
}
