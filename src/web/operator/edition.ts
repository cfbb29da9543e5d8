import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { App } from "../../app.ts";
import { Refusal } from "../../base/errors.ts";
import { actOnEdition } from "../../editions/act.ts";
import { editionActions, type EditionAction } from "../../editions/state.ts";
import { getEdition } from "../../editions/store.ts";
import { operatorPathOf, editionName, parseEditionName } from "../../base/edition-name.ts";
import { editionStatus, type EditionStatus } from "../../operations/status.ts";
import { sendDeliveries } from "../api/deliveries.ts";
import { noHead } from "../limits.ts";
import { readFields, type Fields } from "../pages/fields.ts";
import { englishOf } from "../../wording/catalogue.ts";
import { needs, type Show } from "./desk.ts";
import { actedInWords, offeredActs } from "./edition-acts.ts";
import { editionPage, filterOf, searchOf } from "./edition-page.ts";

interface Params {
  name: string;
}

/** `/operator/editions/:name`: one edition with its balance, deliveries, articles and actions. */
export function addEditionDesk(web: FastifyInstance, app: App, show: Show): void {
  const { db, config } = app;
  const language = englishOf(config.language);

  const find = async (raw: string): Promise<EditionStatus> => {
    const { date, number: n } = parseEditionName(raw);
    return editionStatus(db, await getEdition(db, date, n));
  };

  web.get<{ Params: Params }>("/operator/editions/:name", needs.viewer, async (request, reply) => {
    const edition = await find(request.params.name);
    const done = readFields(request.query);
    const action = editionActions.find((one) => one === done.one("done"));
    const notice = action
      ? done.has("already")
        ? "No change. This was already done."
        : actedInWords(action, Number(done.one("n")) || 0)
      : null;
    return showEdition(request, reply, edition, done.one("done") === "send" ? sentWords(done.has("already")) : notice);
  });

  web.get<{ Params: Params }>(
    "/operator/editions/:name/deliveries.csv",
    { ...needs.editor, ...noHead },
    async (request, reply) => {
      const edition = await find(request.params.name);
      return sendDeliveries(reply, db, edition, filterOf(readFields(request.query)));
    },
  );

  // A POST, because the reply text may be an address, and URLs end up in access logs and browser histories.
  web.post<{ Params: Params }>("/operator/editions/:name/deliveries", needs.viewer, async (request, reply) =>
    showEdition(request, reply, await find(request.params.name), null, readFields(request.body)),
  );

  web.post<{ Params: Params }>("/operator/editions/:name/deliveries.csv", needs.editor, async (request, reply) => {
    const edition = await find(request.params.name);
    return sendDeliveries(reply, db, edition, searchOf(readFields(request.body)));
  });

  for (const action of editionActions) {
    const path = `/operator/editions/:name/${action}`;

    web.get<{ Params: Params }>(path, needs.editor, async (request, reply) => {
      const edition = await find(request.params.name);
      const offered = offeredActs(edition).find((one) => one.action === action);
      // Another operator acted first, or nothing is left to do. Show the present state.
      if (!offered)
        return showEdition(
          request,
          reply,
          edition,
          `This action is not available. The status of the edition is now ${edition.state}.`,
        );
      return show(
        request,
        reply,
        { name: "confirm", title: offered.label, place: "editions" },
        {
          question: `${offered.label}?`,
          words: offered.words,
          label: offered.label,
          post: `${operatorPathOf(edition)}/${action}`,
          back: operatorPathOf(edition),
          hidden: [],
        },
      );
    });

    web.post<{ Params: Params }>(path, needs.editor, async (request, reply) => act(request, reply, action));
  }

  async function act(
    request: FastifyRequest<{ Params: Params }>,
    reply: FastifyReply,
    action: EditionAction,
  ): Promise<FastifyReply> {
    const name = parseEditionName(request.params.name);
    try {
      const acted = await actOnEdition(app, { ...name, action, actor: request.operator.name });
      const again = action === "retry" || action === "resend-unknown" || action === "unsuppress";
      const query = `done=${action}${acted.changed || again ? "" : "&already=1"}&n=${acted.affected}`;
      return reply.redirect(`${operatorPathOf(acted.edition)}?${query}`, 303);
    } catch (error) {
      if (!(error instanceof Refusal) || error.status !== 409) throw error;
      return showEdition(request, reply.code(409), await find(request.params.name), error.message);
    }
  }

  async function showEdition(
    request: FastifyRequest,
    reply: FastifyReply,
    edition: EditionStatus,
    notice: string | null,
    posted?: Fields,
  ): Promise<FastifyReply> {
    const fields = posted ?? readFields(request.method === "GET" ? request.query : {});
    const search = posted ? searchOf(posted) : filterOf(fields);
    const after = /^\d{1,15}$/.test(fields.one("after")) ? Number(fields.one("after")) : 0;
    const page = { name: "edition", title: editionName(edition), place: "editions" } as const;
    return show(request, reply, page, { notice, ...(await editionPage(db, edition, { ...search, after }, language)) });
  }
}

function sentWords(already: boolean): string {
  return already ? "This edition was already sent." : "The edition is being sent.";
}
