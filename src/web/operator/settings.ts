import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { App } from "../../app.ts";
import { Refusal } from "../../base/errors.ts";
import { englishWording, sayReason } from "../../texts/catalogue.ts";
import { readFields } from "../pages/fields.ts";
import { needs, type Show } from "./dashboard.ts";
import { saveAndRestart } from "./restart.ts";
import { readForm, showFields, sortProblems } from "./setup-fields.ts";

const { say } = englishWording();

type AppDeps = Pick<App, "config" | "settings" | "settingsFailure" | "reopen" | "clock" | "db">;

const path = "/operator/settings";
const forms = ["editions", "alerts"] as const;
type Form = (typeof forms)[number];

/** The result of a form, and the input to show again. */
interface Result {
  step: Form;
  sentence: string;
  wrong: boolean;
  values?: Record<string, string>;
  /** Error messages by field. */
  fields?: Record<string, string>;
  /** Environment variables to set. */
  lines?: string;
}

/** `/operator/settings`: how editions are made and who gets alerts. The Setup page has those of the publication. */
export function addSettingsPage(web: FastifyInstance, app: AppDeps, show: Show): void {
  const { settings, settingsFailure } = app;

  async function answer(request: FastifyRequest, reply: FastifyReply, result?: Result): Promise<FastifyReply> {
    const fieldsOf = (form: Form) =>
      showFields(app, form, result?.step === form ? { values: result.values, wrong: result.fields } : {});
    return show(
      request,
      reply,
      { name: "settings", title: say("title.settings_page"), place: "today" },
      {
        result: { step: "", sentence: "", wrong: false, lines: null, ...result },
        place: settings.place,
        reopens: app.reopen !== null,
        restored: settingsFailure && sayReason(settingsFailure),
        editions: await fieldsOf("editions"),
        alerts: await fieldsOf("alerts"),
      },
    );
  }

  web.get(path, needs.owner, async (request, reply) => {
    const done = readFields(request.query).one("done");
    const form = forms.find((one) => one === done);
    if (!form || settingsFailure !== null) return answer(request, reply);
    return answer(request, reply, { step: form, sentence: say("settings.page_saved"), wrong: false });
  });

  for (const form of forms) {
    web.post(`${path}/${form}`, needs.owner, async (request, reply) => {
      const wanted = readForm(readFields(request.body), form, settings);
      try {
        return await saveAndRestart(request, reply, app, {
          wanted,
          show,
          next: `${path}?done=${form}#${form}`,
          answer: (result) => answer(request, reply, { step: form, wrong: false, ...result }),
        });
      } catch (error) {
        if (!(error instanceof Refusal)) throw error;
        const { fields, sentence } = sortProblems(error, form);
        const result: Result = { step: form, sentence, wrong: true, values: wanted, fields };
        return answer(request, reply.code(error.status), result);
      }
    });
  }
}
