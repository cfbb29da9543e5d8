import type { FastifyInstance } from "fastify";
import type { App } from "../../app.ts";
import { editionReason } from "../../editions/reason.ts";
import { listEditions } from "../../editions/store.ts";
import { operatorPathOf } from "../../base/edition-name.ts";
import { longDate } from "../../render/dates.ts";
import { englishOf } from "../../wording/catalogue.ts";
import { needs, type Show } from "./desk.ts";
import { count } from "./format.ts";

const listed = 100;

/** `/operator/editions`: the most recent editions in any state. */
export function addEditionList(web: FastifyInstance, app: App, show: Show): void {
  web.get("/operator/editions", needs.viewer, async (request, reply) => {
    const language = englishOf(app.config.language);
    const editions = (await listEditions(app.db, listed)).map((edition) => ({
      path: operatorPathOf(edition),
      date: longDate(edition.date, language),
      extra: edition.number === 1 ? null : `Extra edition ${edition.number}`,
      state: edition.state,
      words:
        edition.frozen_at === null
          ? (editionReason(edition) ?? "")
          : `${count(edition.articles, "article")} for ${count(edition.selected, "reader")}`,
    }));
    return show(request, reply, { name: "editions", title: "Editions", place: "editions" }, { editions });
  });
}
