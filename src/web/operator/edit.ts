import type { FastifyInstance, FastifyRequest } from "fastify";
import type { App } from "../../app.ts";
import { Refusal } from "../../base/errors.ts";
import { comingEdition, type ComingEdition } from "../../editorial/coming.ts";
import { editComing, type DraftChange } from "../../editorial/edit.ts";
import { editHeld, type HeldChange } from "../../editorial/edit-held.ts";
import { parseEditionName } from "../edition-name.ts";
import { readFields, type Fields } from "../pages/fields.ts";
import { needs } from "./desk.ts";

/** What the buttons of an article do to the coming edition. */
const acts: Record<string, (coming: ComingEdition, id: number, fields: Fields) => DraftChange> = {
  lead: ({ draft }, id) => ({ first: [id, ...without(draft.first, id)], leftOut: without(draft.leftOut, id) }),
  up: (coming, id) => ({ first: moved(coming, id, -1) }),
  down: (coming, id) => ({ first: moved(coming, id, 1) }),
  out: ({ draft }, id) => ({ first: without(draft.first, id), leftOut: [...without(draft.leftOut, id), id] }),
  in: ({ draft }, id) => ({ leftOut: without(draft.leftOut, id) }),
  words: (_coming, id, fields) => ({ words: { [id]: { title: fields.one("title"), summary: fields.one("summary") } } }),
  original: (_coming, id) => ({ words: { [id]: { title: null, summary: null } } }),
};

/**
 * POST `…/words` and `…/articles/:id/:act`, below `/operator/preview` for the coming edition, and below the edition's own
 * page for one that is held, of which only the words can be mended.
 */
export function addEditRoutes(web: FastifyInstance, app: App): void {
  const back = "/operator/preview?done=edit";

  web.post("/operator/preview/words", needs.editor, async (request, reply) => {
    const fields = readFields(request.body);
    const change = { introduction: fields.one("introduction"), subject: fields.one("subject") };
    await editComing(app, { change, revision: revisionOf(fields), actor: request.operator.name });
    return reply.redirect(`${back}#edit`, 303);
  });

  web.post<{ Params: { id: string; act: string } }>(
    "/operator/preview/articles/:id/:act",
    needs.editor,
    async (request, reply) => {
      const { id, act } = request.params;
      const change = Object.hasOwn(acts, act) ? acts[act] : undefined;
      if (!change || !/^[1-9]\d{0,15}$/.test(id))
        throw new Refusal(404, "There is nothing at this address: go back to the preview.");
      const fields = readFields(request.body);
      const actor = request.operator.name;
      const edit = change(await comingEdition(app), Number(id), fields);
      await editComing(app, { change: edit, revision: revisionOf(fields), actor });
      return reply.redirect(`${back}#a${id}`, 303);
    },
  );

  const mend = async (request: FastifyRequest, raw: string, change: HeldChange): Promise<string> => {
    await editHeld(app, { ...parseEditionName(raw), change, actor: request.operator.name });
    return `/operator/preview?edition=${raw}&done=edit#edit`;
  };

  web.post<{ Params: { name: string } }>("/operator/editions/:name/words", needs.editor, async (request, reply) => {
    const fields = readFields(request.body);
    const change = { introduction: fields.one("introduction"), subject: fields.one("subject") };
    return reply.redirect(await mend(request, request.params.name, change), 303);
  });

  web.post<{ Params: { name: string; id: string } }>(
    "/operator/editions/:name/articles/:id/words",
    needs.editor,
    async (request, reply) => {
      const fields = readFields(request.body);
      const words = { [request.params.id]: { title: fields.one("title"), summary: fields.one("summary") } };
      return reply.redirect(await mend(request, request.params.name, { words }), 303);
    },
  );
}

function revisionOf(fields: Fields): number | undefined {
  const raw = fields.one("revision");
  return /^\d{1,9}$/.test(raw) ? Number(raw) : undefined;
}

function without(ids: readonly number[], id: number): number[] {
  return ids.filter((one) => one !== id);
}

/** The order that one step makes, as far as it has to be written down for it. */
function moved({ draft, articles }: ComingEdition, id: number, step: 1 | -1): number[] {
  const order = articles.filter(({ leftOut }) => !leftOut).map((article) => article.id);
  const from = order.indexOf(id);
  const to = from + step;
  if (from < 0 || to < 0 || to >= order.length) return draft.first;
  [order[from], order[to]] = [order[to]!, order[from]!];
  return order.slice(0, Math.max(draft.first.length, from + 1, to + 1));
}
