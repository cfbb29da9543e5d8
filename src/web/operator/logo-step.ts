import type { FastifyInstance } from "fastify";
import type { App } from "../../app.ts";
import { Refusal } from "../../base/errors.ts";
import { changeLogo, largestUpload } from "../../operations/change-logo.ts";
import { takeUploads, uploadOf } from "../multipart.ts";
import type { AnswerSaved } from "./change-settings.ts";
import { needs } from "./desk.ts";
import type { Steps } from "./step-result.ts";

/** POST `/operator/setup/logo`: saves an uploaded logo in the data folder, or removes the logo. */
export function addLogoStep(web: FastifyInstance, app: App, answerSaved: AnswerSaved, { refused }: Steps): void {
  web.register(async (scope) => {
    takeUploads(scope, largestUpload);
    scope.post("/operator/setup/logo", needs.owner, async (request, reply) => {
      try {
        const { remove } = request.body as Record<string, unknown>;
        const content = remove === "1" ? null : uploadOf(request.body, "logo")?.content;
        if (content === undefined) throw new Refusal(422, "logo_not_chosen");
        const { changed } = await changeLogo(app, { content, actor: request.operator.name });
        return await answerSaved(request, reply, "logo", changed);
      } catch (error) {
        return refused(request, reply, error, { step: "logo" });
      }
    });
  });
}
